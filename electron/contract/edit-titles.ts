/**
 * What the steps of undo and redo are called, by their English wording, with `{n}` for a number: how they are stored is
 * with the number in its place (project/history.ts), several in one step joined by a comma.
 */
export const editTitles = [
  ...['Enable {n} photo', 'Enable {n} photos', 'Disable {n} photo', 'Disable {n} photos'],
  ...['Remove {n} photo', 'Remove {n} photos', 'Bring back {n} photo', 'Bring back {n} photos'],
  ...['Lock {n} photo', 'Lock {n} photos', 'Unlock {n} photo', 'Unlock {n} photos'],
  ...['Enable {n} pair', 'Enable {n} pairs', 'Disable {n} pair', 'Disable {n} pairs'],
  ...['Set the focal of {n} photo', 'Set the focal of {n} photos'],
  ...['Clear the focal of {n} photo', 'Clear the focal of {n} photos'],
  'Change settings',
  ...['Level automatically', 'No levelling', 'Level by three points', 'Level by an edge', 'Level by hand'],
  ...['Set the origin', 'Set the scale', 'Forget the scale', 'Place by GPS'],
  ...['Set control points', 'Forget the control points', 'Crop', 'Remove the crop box', 'Measure'],
  ...['Delete {n} point', 'Delete {n} points'],
] as const;

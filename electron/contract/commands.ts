/**
 * The one table of commands: native menus, key bindings, the command palette and the list of shortcuts are all made
 * from it. `Mod` is Command on a Mac and Control elsewhere. What a command does, and when it can, is the renderer's
 * (commands/actions.ts).
 */
export interface Command {
  title: string;
  menu: 'File' | 'Edit' | 'Run' | 'View' | 'Help';
  /** Modifiers and a KeyboardEvent.key, joined by '+'. */
  keys?: string;
}

const table = {
  'project.new': { title: 'New project', menu: 'File', keys: 'Mod+N' },
  'project.open': { title: 'Open project…', menu: 'File', keys: 'Mod+O' },
  'photos.add': { title: 'Add photos…', menu: 'File', keys: 'Mod+I' },
  'photos.addFolder': { title: 'Add a folder of photos…', menu: 'File', keys: 'Mod+Shift+I' },
  'photos.relocate': { title: 'Find moved photos…', menu: 'File' },
  'project.save': { title: 'Save project', menu: 'File', keys: 'Mod+S' },
  'project.saveAs': { title: 'Save project as…', menu: 'File', keys: 'Mod+Shift+S' },
  'export.open': { title: 'Export…', menu: 'File', keys: 'Mod+E' },
  'app.preferences': { title: 'Preferences…', menu: 'File', keys: 'Mod+,' },
  'app.networks': { title: 'Networks…', menu: 'File' },
  'project.close': { title: 'Close project', menu: 'File' },

  'edit.undo': { title: 'Undo', menu: 'Edit', keys: 'Mod+Z' },
  'edit.redo': { title: 'Redo', menu: 'Edit', keys: 'Mod+Shift+Z' },
  'photos.selectAll': { title: 'Select all photos', menu: 'Edit', keys: 'Mod+A' },
  'photos.toggle': { title: 'Switch selected photos on or off', menu: 'Edit', keys: 'X' },
  'photos.remove': { title: 'Remove selected photos', menu: 'Edit', keys: 'Shift+Delete' },
  'photos.lock': { title: 'Lock or free the pose of selected photos', menu: 'Edit', keys: 'L' },
  'photos.findMasks': { title: 'Find masks', menu: 'Edit' },
  'photos.paintMask': { title: 'Paint a mask…', menu: 'Edit', keys: 'M' },
  'pair.toggle': { title: 'Switch the selected pair on or off', menu: 'Edit', keys: 'Shift+X' },

  'points.lasso': { title: 'Select points by a lasso', menu: 'Edit', keys: 'O' },
  'points.rectangle': { title: 'Select points by a rectangle', menu: 'Edit' },
  'points.brush': { title: 'Select points by a brush', menu: 'Edit' },
  'points.pick': { title: 'Pick points', menu: 'Edit', keys: 'P' },
  'points.mark': { title: 'Mark a point in several photos', menu: 'Edit' },
  'points.invert': { title: 'Invert the selection of points', menu: 'Edit', keys: 'I' },
  'points.clear': { title: 'Select no points', menu: 'Edit' },
  'points.hide': { title: 'Hide selected points', menu: 'Edit', keys: 'H' },
  'points.showAll': { title: 'Show hidden points', menu: 'Edit', keys: 'Shift+H' },
  'points.delete': { title: 'Delete selected points', menu: 'Edit', keys: 'Delete' },

  'run.start': { title: 'Start reconstruction', menu: 'Run', keys: 'Mod+Enter' },
  'run.realign': { title: 'Realign without inference', menu: 'Run', keys: 'Mod+R' },
  'run.pause': { title: 'Pause or resume', menu: 'Run', keys: 'Mod+P' },
  'run.cancel': { title: 'Cancel the run', menu: 'Run', keys: 'Mod+.' },

  'view.fit': { title: 'Fit the cloud to the view', menu: 'View', keys: 'F' },
  'view.front': { title: 'View from the front', menu: 'View', keys: '1' },
  'view.side': { title: 'View from the side', menu: 'View', keys: '2' },
  'view.top': { title: 'View from above', menu: 'View', keys: '3' },
  'view.through': { title: 'Look through the selected photo', menu: 'View', keys: 'V' },
  'view.fly': { title: 'Fly or orbit', menu: 'View', keys: 'G' },
  'view.cameras': { title: 'Show or hide cameras', menu: 'View', keys: 'C' },
  'view.grid': { title: 'Show or hide the grid', menu: 'View', keys: 'B' },
  'view.axes': { title: 'Show or hide the axes', menu: 'View' },
  'view.larger': { title: 'Larger points', menu: 'View', keys: ']' },
  'view.smaller': { title: 'Smaller points', menu: 'View', keys: '[' },
  'view.colourPhoto': { title: 'Colour by photo', menu: 'View', keys: 'Shift+1' },
  'view.colourConfidence': { title: 'Colour by confidence', menu: 'View', keys: 'Shift+2' },
  'view.colourDepth': { title: 'Colour by depth', menu: 'View', keys: 'Shift+3' },
  'view.colourNormal': { title: 'Colour by normal', menu: 'View', keys: 'Shift+4' },
  'view.colourSource': { title: 'Colour by source photo', menu: 'View', keys: 'Shift+5' },
  'view.screenshot': { title: 'Screenshot of the cloud', menu: 'View', keys: 'Mod+Shift+C' },
  'view.still': { title: 'Large picture of the cloud', menu: 'View' },
  'view.keep': { title: 'Keep this view', menu: 'View', keys: 'K' },
  'view.turntable': { title: 'Video of one turn', menu: 'View' },
  'view.theme': { title: 'Light or dark theme', menu: 'View', keys: 'Mod+Shift+L' },
  'view.drawer': { title: 'Open or close the drawer', menu: 'View', keys: 'D' },
  'view.next': { title: 'Next photo', menu: 'View', keys: '.' },
  'view.previous': { title: 'Previous photo', menu: 'View', keys: ',' },
  'view.layout': { title: 'Put all panels back', menu: 'View' },

  'help.palette': { title: 'Command palette', menu: 'Help', keys: 'Mod+K' },
  'help.shortcuts': { title: 'Keyboard shortcuts', menu: 'Help', keys: '?' },
} as const satisfies Record<string, Command>;

export type CommandId = keyof typeof table;
export const commands: Readonly<Record<CommandId, Command>> = table;
export const commandIds = Object.keys(table) as CommandId[];
export const isCommandId = (id: unknown): id is CommandId => typeof id === 'string' && Object.hasOwn(table, id);

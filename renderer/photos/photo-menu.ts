import type { CommandId } from '../../electron/contract/commands.js';

/** What can be done with selected photos, wherever they are shown. */
export const photoMenu: readonly CommandId[] = [
  'view.through',
  'photos.toggle',
  'photos.lock',
  'photos.paintMask',
  'photos.remove',
  'photos.selectAll',
];

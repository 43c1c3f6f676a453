import type { KeyboardEvent } from 'react';
import type { PhotoInfo } from '../../electron/contract/api.js';
import { canRun, runCommand } from '../commands/actions.js';
import { openMenuByKey } from '../commands/menu.js';
import { choose } from '../store/selection.js';
import { photoMenu } from './photo-menu.js';

/**
 * The keys of a list of photos: arrows choose another, Delete takes the chosen ones out, as in any list of files; in the
 * view it deletes points. The menu's key opens the menu of the chosen one.
 *
 * @param last index of the photo chosen last, -1 without
 * @param steps by how many photos each key moves
 */
export function stepPhoto(
  event: KeyboardEvent,
  photos: readonly PhotoInfo[],
  last: number,
  steps: Readonly<Record<string, number>>,
): void {
  if (openMenuByKey(event, photoMenu)) return;
  if (event.key === 'Delete' && canRun('photos.remove')) {
    event.preventDefault();
    event.stopPropagation();
    runCommand('photos.remove');
    return;
  }
  const step = steps[event.key];
  if (step === undefined || photos.length === 0) return;
  event.preventDefault();
  const next = photos[Math.min(photos.length - 1, Math.max(0, last + step))]!;
  choose(next.id, { shiftKey: event.shiftKey });
}

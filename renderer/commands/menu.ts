import type { MouseEvent } from 'react';
import type { CommandId } from '../../electron/contract/commands.js';
import { setStudio } from '../store/studio.js';

/** Opens the context menu at the pointer, with these commands. */
export function openMenu(event: MouseEvent, ids: readonly CommandId[]): void {
  event.preventDefault();
  setStudio({ menu: { x: event.clientX, y: event.clientY, ids } });
}

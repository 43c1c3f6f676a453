import type { KeyboardEvent, MouseEvent } from 'react';
import type { CommandId } from '../../electron/contract/commands.js';
import { setStudio } from '../store/studio.js';

/** Opens the context menu at the pointer, with these commands. */
export function openMenu(event: MouseEvent, ids: readonly CommandId[]): void {
  event.preventDefault();
  setStudio({ menu: { x: event.clientX, y: event.clientY, ids } });
}

/** Opens the context menu at the item that a list is at, for the keys that ask for one. @returns whether they did */
export function openMenuByKey(event: KeyboardEvent, ids: readonly CommandId[]): boolean {
  if (event.key !== 'ContextMenu' && !(event.key === 'F10' && event.shiftKey)) return false;
  const item = document.getElementById(event.currentTarget.getAttribute('aria-activedescendant') ?? '');
  if (!item) return false;
  const { left, bottom } = item.getBoundingClientRect();
  event.preventDefault();
  setStudio({ menu: { x: left, y: bottom, ids } });
  return true;
}

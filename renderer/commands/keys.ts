import { commandIds, commands, type CommandId } from '../../electron/contract/commands.js';
import { studio } from '../store/studio.js';
import { canRun, runCommand } from './actions.js';

const onMac = /mac/i.test(navigator.platform);

interface Binding {
  id: CommandId;
  mod: boolean;
  shift: boolean;
  key: string;
}

const bindings: readonly Binding[] = commandIds.flatMap((id) => {
  const keys = commands[id].keys;
  if (keys === undefined) return [];
  const parts = keys.split('+');
  return [{ id, mod: parts.includes('Mod'), shift: parts.includes('Shift'), key: parts.at(-1)!.toLowerCase() }];
});

/** The command of a key press, if it has one. Digits are read by place, since Shift changes what they print. */
export function commandOf(
  event: Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey'>,
): CommandId | undefined {
  const mod = onMac ? event.metaKey : event.ctrlKey;
  if (event.altKey || (onMac ? event.ctrlKey : event.metaKey)) return undefined;
  const digit = /^Digit(\d)$/.exec(event.code)?.[1];
  const key = digit ?? event.key.toLowerCase();
  const printed = !/^[a-z0-9]$/.test(key) && key.length === 1;
  return bindings.find(
    (binding) =>
      binding.key === key && binding.mod === mod && (binding.shift === event.shiftKey || (printed && !binding.shift)),
  )?.id;
}

/** Listens for the table's keys. Typing in a field, and an open dialog, keep theirs. @returns stops listening */
export function listenForKeys(): () => void {
  const listener = (event: KeyboardEvent): void => {
    const id = commandOf(event);
    if (!id) return;
    const target = event.target as HTMLElement;
    const typing = target.matches?.(
      'input:not([type=checkbox]):not([type=range]), textarea, select, [contenteditable]',
    );
    const plain = !event.ctrlKey && !event.metaKey;
    if (typing && (plain || ['edit.undo', 'edit.redo', 'photos.selectAll'].includes(id))) return;
    if (studio().dialog !== undefined || studio().fileQuestion !== undefined) return;
    event.preventDefault();
    if (canRun(id)) runCommand(id);
  };
  window.addEventListener('keydown', listener);
  return () => window.removeEventListener('keydown', listener);
}

/** As a person reads it: "Ctrl Shift Z", on a Mac with its signs. */
export function keysText(id: CommandId): string | undefined {
  const keys: string | undefined = commands[id].keys;
  return keys
    ?.split('+')
    .map((part) => (part === 'Mod' ? (onMac ? '⌘' : 'Ctrl') : part === 'Shift' && onMac ? '⇧' : part))
    .join(' ');
}

import type { MenuItemConstructorOptions } from 'electron';
import { commandIds, commands, type Command, type CommandId } from '../contract/commands.js';

export interface MenuActions {
  run(id: CommandId): void;
  showLog(): void;
}

/** What the system expects in a menu beside the commands of the table. */
const system: Readonly<Record<Command['menu'], (mac: boolean, actions: MenuActions) => MenuItemConstructorOptions[]>> =
  {
    File: (mac) => [mac ? { role: 'close' } : { role: 'quit' }],
    // A Mac finds the clipboard's keys through the menu.
    Edit: (mac) => (mac ? [{ role: 'cut' }, { role: 'copy' }, { role: 'paste' }] : []),
    Run: () => [],
    View: () => [{ role: 'togglefullscreen' }],
    Help: (_mac, { showLog }) => [{ label: 'Show the log file', click: showLog }, { role: 'toggleDevTools' }],
  };

/** The native menu, made from the table of commands: one entry each, a line between groups. */
export function menuTemplate(platform: NodeJS.Platform, actions: MenuActions): MenuItemConstructorOptions[] {
  const mac = platform === 'darwin';
  const menus = [...new Set(commandIds.map((id) => commands[id].menu))].map((menu): MenuItemConstructorOptions => {
    const own = commandIds.filter((id) => commands[id].menu === menu);
    const items = own.flatMap((id, k): MenuItemConstructorOptions[] => {
      const item = commandItem(id, mac, actions);
      return k > 0 && group(id) !== group(own[k - 1]!) ? [{ type: 'separator' }, item] : [item];
    });
    const more = system[menu](mac, actions);
    return { label: menu, submenu: more.length > 0 ? [...items, { type: 'separator' }, ...more] : items };
  });
  if (!mac) return menus;
  return [{ role: 'appMenu' }, ...menus.slice(0, -1), { role: 'windowMenu' }, ...menus.slice(-1)];
}

const group = (id: CommandId): string => id.slice(0, id.indexOf('.'));

/**
 * Keys are shown and not taken: the page hears them first and knows whether a text field wants them. A Mac's menu
 * always takes what it shows, so that keys without a modifier are left out there.
 */
function commandItem(id: CommandId, mac: boolean, { run }: MenuActions): MenuItemConstructorOptions {
  const { title, keys } = commands[id];
  const shown = keys !== undefined && (!mac || keys.startsWith('Mod+'));
  return {
    id,
    label: title,
    registerAccelerator: false,
    click: () => run(id),
    ...(shown ? { accelerator: keys.replace('Mod', 'CommandOrControl') } : {}),
  };
}

import { BrowserWindow, ipcMain, type IpcMainInvokeEvent } from 'electron';
import { UserError } from '../contract/errors.js';
import { ORIGIN } from './addresses.js';

/** Whether a message comes from the top frame of one of our windows, showing our own page. */
export function isOurs({ sender, senderFrame }: Pick<IpcMainInvokeEvent, 'sender' | 'senderFrame'>): boolean {
  return (
    senderFrame !== null &&
    senderFrame === sender.mainFrame &&
    senderFrame.url.startsWith(`${ORIGIN}/`) &&
    BrowserWindow.fromWebContents(sender) !== null
  );
}

/** The only way in: every handler of the program is registered here, and hears our own windows alone. */
export function handleOurs(channel: string, answer: (...words: unknown[]) => unknown): void {
  ipcMain.handle(channel, (event, ...words: unknown[]) => {
    if (!isOurs(event)) throw new UserError('unsupported', 'refused: this page is not part of the studio');
    return answer(...words);
  });
}

import { BrowserWindow } from 'electron';
import { ask, toWire } from '../contract/wire.js';
import type { EngineHost } from '../engine-process/host.js';
import { channels } from './addresses.js';
import { handleOurs } from './senders.js';

const question = ask.omit({ id: true });

/** Passes the renderer's questions to the engine, and the engine's events to every window. */
export function setupBridge(engine: EngineHost): void {
  handleOurs(channels.ask, async (name, params) => {
    try {
      const asked = question.parse({ name, params });
      return { result: await engine.ask(asked.name, asked.params ?? {}) };
    } catch (error) {
      // As data: an error thrown here would reach the page with Electron's words around its own.
      return { error: toWire(error) };
    }
  });
  engine.on((event, payload) => {
    for (const window of BrowserWindow.getAllWindows())
      if (!window.isDestroyed()) window.webContents.send(channels.event, event, payload);
  });
}

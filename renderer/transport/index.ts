import type { Api } from '../../electron/contract/api.js';
import type { Desktop } from '../../electron/contract/desktop.js';
import { browserTransport, type ConnectionState } from './browser.js';

/** Absent in a browser. */
export const desktop: Desktop | undefined = window.pointmap;
const browser = desktop ? undefined : browserTransport();

/** The one way to the engine. */
export const api: Api = desktop ?? browser!;

/** In the desktop the bridge can't break: it is there before the page is. */
export function onConnection(listener: (state: ConnectionState) => void): () => void {
  if (browser) return browser.onConnection(listener);
  listener('open');
  return () => undefined;
}

export type { ConnectionState };

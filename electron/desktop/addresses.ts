/**
 * What the main process and the preload script agree on. Nothing else is imported by a preload script: it runs in the
 * sandbox.
 */
export const SCHEME = 'pointmap';
/**
 * The renderer, its assets and every binary resource come from here, so that its Content-Security-Policy is 'self'
 * alone.
 */
export const ORIGIN = `${SCHEME}://studio`;

export const channels = {
  /** (name, params) -> { result } or { error } */
  ask: 'pointmap:ask',
  /** (kind, text) -> what was chosen */
  dialog: 'pointmap:dialog',
  /** to the renderer: (event, payload) */
  event: 'pointmap:event',
  /** to the renderer: (command id) */
  command: 'pointmap:command',
} as const;

export type DialogKind = 'photos' | 'folder' | 'file' | 'project' | 'save' | 'show';

import type { Api } from './api.js';
import type { CommandId } from './commands.js';

/**
 * What the preload script puts on `window.pointmap` in the desktop: the contract, and the few things that only a
 * desktop has. In browser mode it is absent, and the renderer talks to the server instead.
 */
export interface Desktop extends Api {
  /** Where a file dropped on the window lies on disk. */
  pathForFile(file: File): string;
  /** Dialogs answer nothing chosen with an empty list or null. */
  choosePhotos(): Promise<string[]>;
  chooseFolder(title: string): Promise<string | null>;
  /** A file of any kind. */
  chooseFile(title: string): Promise<string | null>;
  chooseProject(): Promise<string | null>;
  saveProject(suggestion: string): Promise<string | null>;
  showInFolder(path: string): Promise<void>;
  /** A command chosen in the native menu. @returns stops listening */
  onCommand(listener: (id: CommandId) => void): () => void;
}

declare global {
  interface Window {
    pointmap?: Desktop;
  }
}

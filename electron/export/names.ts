import { bytesOf, fileKey, LONGEST_NAME, safeFileName, uniqueFileName } from '../contract/file-names.js';
import type { Scene } from '../geometry/types.js';
import { photoName } from './types.js';

/** Nothing in it leads to another folder, and every system that we run on takes it. */
const isPlain = (name: string): boolean =>
  name !== '' &&
  bytesOf(name) <= LONGEST_NAME &&
  // eslint-disable-next-line no-control-regex
  !(process.platform === 'win32' ? /[\\/\u0000-\u001f<>:"|?*]|[. ]$/ : /[\\/\u0000-\u001f]/).test(name) &&
  !/^\.*$/.test(name);

/**
 * Camera names as formats may make files of them: a project file that came from elsewhere may name a photo
 * `../../x.jpg`, and two photos whose names differ by case only would be one file on Windows and macOS. Names of photos
 * that were added here stay as they are.
 */
export function fileNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let own = uniqueFileName(isPlain(name) ? name : safeFileName(name), taken);
    // A photo of an unusual format is exported under another name, which must be its own as well.
    while (taken.has(fileKey(exported(own)))) own = uniqueFileName(own, new Set([...taken, fileKey(own)]));
    taken.add(fileKey(own)).add(fileKey(exported(own)));
    return own;
  });
}

const exported = (name: string): string => photoName({ name });

/** The scene with such names. */
export function withFileNames(scene: Scene): Scene {
  const names = fileNames(scene.cameras.map(({ name }) => name));
  return { ...scene, cameras: scene.cameras.map((camera, k) => ({ ...camera, name: names[k]! })) };
}

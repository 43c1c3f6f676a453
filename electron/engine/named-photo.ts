import { basename, resolve } from 'node:path';
import { UserError } from '../contract/errors.js';
import type { ProjectPhoto } from '../project/project.js';

type Named = Pick<ProjectPhoto, 'id' | 'name' | 'path'>;

const slashed = (path: string): string => path.replaceAll('\\', '/');
const last = (path: string): string => slashed(path).replace(/^.*\//, '');
const stem = (path: string): string => last(path).replace(/\.[^.]+$/, '');

/**
 * The photo that a person or a file means: by its name in the project, its path or the end of that, its file's name, or
 * that without its ending, where it means one photo. A second `IMG_1.jpg` has another name in the project, and the name
 * of a folder tells it from the first.
 *
 * @returns its id
 * @throws UserError 'usage'
 */
export function photoNamed(name: string, photos: readonly Named[]): string {
  const whole = slashed(name);
  const ways: ((photo: Named) => boolean)[] = [
    (photo) => photo.name === name || photo.id === name || photo.path === resolve(name),
    (photo) => whole.includes('/') && slashed(photo.path).endsWith(`/${whole.replace(/^(\.?\/)+/, '')}`),
    (photo) => photo.name === last(name) || basename(photo.path) === last(name),
    (photo) => stem(photo.name) === stem(name) || stem(photo.path) === stem(name),
  ];
  // A name with a folder is not the first photo of that name, wherever it lies.
  for (const means of ways) {
    const found = photos.filter(means);
    if (found.length === 1) return found[0]!.id;
    if (found.length > 1)
      throw new UserError(
        'usage',
        `${found.length} photos may be meant; write the name in the project, as ${found
          .slice(0, 3)
          .map((photo) => photo.name)
          .join(' or ')}: ${name}`,
      );
  }
  throw new UserError('usage', `there is no photo of this name in the project: ${name}`);
}

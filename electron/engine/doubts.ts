import type { SparseModel } from '../geometry/sparse-model.js';
import { listed } from '../contract/listed.js';
import type { ProjectPhoto } from '../project/project.js';
import type { Placement } from './placement.js';

const MOST_NAMES = 12;

/** Photos without a place, with what the sparse stage says of the reason: it saw every pair. */
export function withReasons(unplaced: Placement['unplaced'], sparse: SparseModel | undefined): Placement['unplaced'] {
  const told = new Map(sparse?.cameras.flatMap(({ photo, reason }) => (reason ? [[photo, reason] as const] : [])));
  return unplaced.map(({ photo, reason }) => ({ photo, reason: told.get(photo) ?? reason }));
}

/** Why no photo has a place at all, in words that a person can act on; undefined where the sparse stage has none. */
export function whyNothing(sparse: SparseModel | undefined, photos: readonly ProjectPhoto[]): string | undefined {
  const [warning] = sparse?.warnings ?? [];
  if (warning !== undefined) return warning;
  const told = sparse?.cameras.find(({ reason }) => reason !== undefined);
  return told && `${photos.find(({ id }) => id === told.photo)?.name ?? told.photo}: ${told.reason}`;
}

/** Every reason to distrust a result, one line each: no likely wrong result and no missing photo goes unsaid. */
export function doubts(
  { components, unplaced, warnings }: Pick<Placement, 'components' | 'unplaced' | 'warnings'>,
  sparse: SparseModel | undefined,
  photos: readonly ProjectPhoto[],
): string[] {
  const nameOf = new Map(photos.map(({ id, name }) => [id, name]));
  const lines = [...(sparse?.warnings ?? []), ...warnings];
  const apart = components.slice(1).flatMap(({ cameras }) => cameras.map(({ name }) => name));
  if (apart.length > 0) lines.push(`not in the largest group, so not in its scene: ${listed(apart, MOST_NAMES)}`);
  if (unplaced.length > 0) {
    const told = unplaced.map(({ photo, reason }) => `${nameOf.get(photo) ?? photo} (${reason})`);
    lines.push(`${unplaced.length} of ${photos.length} photos could not be placed: ${listed(told, MOST_NAMES)}`);
  }
  return [...new Set(lines)];
}

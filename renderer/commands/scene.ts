import { base64 } from '../transport/base64.js';
import { encodeMask } from '../../electron/contract/mask.js';
import type { SceneOperation } from '../../electron/contract/scene.js';
import { setStudio, studio } from '../store/studio.js';
import { api } from '../transport/index.js';
import { currentViewer } from '../viewer/handle.js';
import { attempt } from './project.js';

/** One undoable step of the scene document. @returns what the engine found, undefined when it refused */
export const editScene = (...operations: SceneOperation[]) => attempt(() => api.request('scene.edit', { operations }));

export function countSelection(): void {
  setStudio({ selectedPoints: currentViewer()?.editing?.count() ?? 0 });
}

export async function deleteSelectedPoints(): Promise<void> {
  const mask = currentViewer()?.editing?.mask() ?? [];
  if (mask.length === 0) return;
  const count = studio().selectedPoints;
  const title = `Delete ${count} ${count === 1 ? 'point' : 'points'}`;
  await editScene({ kind: 'clean', mask: base64(encodeMask(mask)), mode: 'delete', title });
  setStudio({ selectedPoints: 0 });
}

import { useEffect, useMemo, useState } from 'react';
import type { CameraInfo } from '../../electron/contract/api.js';
import type { Deletion } from '../../electron/contract/scene.js';
import { notify } from '../store/studio.js';
import { api } from '../transport/index.js';
import type { CloudData } from './cloud-data.js';
import { deletedBits } from './cloud-state.js';

/** Masks never change: what was fetched is kept while the page lives. */
const known = new Map<string, Uint8Array>();

/** The deletions in force, as bits of the cloud's own depth maps; undefined until all their masks are here. */
export function useDeleted(
  steps: readonly Deletion[],
  cloud: CloudData | undefined,
  cameras: readonly CameraInfo[] | undefined,
): ReadonlyMap<string, Uint8Array> | undefined {
  const [arrived, setArrived] = useState(0);
  const key = steps.map(({ mask, mode }) => `${mode} ${mask}`).join();
  useEffect(() => {
    const missing = steps.filter(({ mask }) => !known.has(mask));
    if (missing.length === 0) return;
    Promise.all(
      missing.map(async ({ mask }) => {
        const response = await fetch(api.binaryUrl(`mask/${mask}`));
        if (response.ok) known.set(mask, new Uint8Array(await response.arrayBuffer()));
      }),
    ).then(
      () => setArrived((count) => count + 1),
      (error: Error) => notify('error', error.message),
    );
  }, [key]); // eslint-disable-line react-hooks/exhaustive-deps
  return useMemo(() => {
    const maps = cloud?.points?.maps;
    if (!maps || !cameras || !steps.every(({ mask }) => known.has(mask))) return undefined;
    return deletedBits(steps, known, { maps, photos: cameras.map(({ photo }) => photo) });
  }, [key, arrived, cloud, cameras]); // eslint-disable-line react-hooks/exhaustive-deps
}

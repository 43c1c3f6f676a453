import { useMemo } from 'react';
import { notify, setStudio, useStudio } from '../store/studio.js';
import { api } from '../transport/index.js';
import type { MeshShown } from '../viewer/MeshLayer.js';
import { t } from '../words/index.js';

/** The mesh for the viewer; undefined while there is none. A click on a face selects the photo it is coloured from. */
export function useMeshShown(): MeshShown | undefined {
  const mesh = useStudio(({ mesh }) => mesh);
  const { revision, photos } = mesh;
  return useMemo(
    () =>
      revision === undefined
        ? undefined
        : {
            url: api.binaryUrl(`mesh/${revision}`),
            photosUrl: api.binaryUrl(`mesh-photos/${revision}`),
            onPhoto: (photo) => {
              const id = photos?.[photo];
              if (id !== undefined) setStudio({ selectedPhotos: [id] });
            },
            onError: (error) => notify('error', t('the mesh could not be shown: {error}', { error: error.message })),
          },
    [revision, photos],
  );
}

import { useEffect } from 'react';
import { setStudio, useStudio } from '../store/studio.js';
import { api } from '../transport/index.js';

/** Keeps the estimate of the next run up to date with photos and settings; what makes it impossible is kept in its place. */
export function usePreflight(): void {
  const project = useStudio(({ project }) => project);
  const { estimator, graph, quality, matching, provider } = project?.settings ?? {};
  const photos = project?.photos.map(({ id, enabled, focal }) => `${id}${enabled}${focal?.pixels}`).join();
  useEffect(() => {
    let current = true;
    setStudio({ preflightError: undefined, ...(photos ? {} : { preflight: undefined }) });
    if (photos)
      api.request('run.preflight', {}).then(
        (preflight) => current && setStudio({ preflight }),
        (error: Error) => current && setStudio({ preflight: undefined, preflightError: error.message }),
      );
    return () => {
      current = false;
    };
  }, [photos, estimator, graph, quality, matching, provider]);
}

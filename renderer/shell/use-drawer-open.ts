import { useLayout } from '../store/layout.js';
import { isActive, useStudio } from '../store/studio.js';

/** As a person left it; until then closed before the first run and open from then on. */
export function useDrawerOpen(): boolean {
  const decided = useLayout(({ drawerOpen }) => drawerOpen);
  const begun = useStudio(({ project, job }) => project?.scene !== undefined || isActive(job));
  return decided ?? begun;
}

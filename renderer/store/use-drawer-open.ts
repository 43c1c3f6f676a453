import { useLayout } from './layout.js';
import { isActive, useStudio, type StudioState } from './studio.js';

/** As a person left it; until then closed before the first run and open from then on. */
export const drawerIsOpen = (
  decided: boolean | undefined,
  { project, job }: Pick<StudioState, 'project' | 'job'>,
): boolean => decided ?? (project?.scene !== undefined || isActive(job));

export function useDrawerOpen(): boolean {
  const decided = useLayout(({ drawerOpen }) => drawerOpen);
  return useStudio((state) => drawerIsOpen(decided, state));
}

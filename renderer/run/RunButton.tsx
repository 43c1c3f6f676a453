import type { ButtonProps } from '../design/controls.js';
import { CommandButton } from '../commands/CommandButton.js';
import { useStudio, type StudioState } from '../store/studio.js';
import { t } from '../words/index.js';

/** Where the one button that begins a run stands. */
export type RunPlace = 'view' | 'bar' | 'panel' | 'nowhere';

/**
 * There is one such button at a time: over the empty view before there is a cloud, in the top bar when a run has
 * stopped half way, and beside the settings when a cloud is there that only other settings would change.
 */
export function runPlace({ project, job }: Pick<StudioState, 'project' | 'job'>): RunPlace {
  if (!project || ['running', 'paused', 'cancelling'].includes(job.state)) return 'nowhere';
  if (project.photos.length === 0) return 'nowhere';
  if (!project.scene) return 'view';
  return stopped(job.state) || project.scene.partial ? 'bar' : 'panel';
}

const stopped = (state: string): boolean => state === 'cancelled' || state === 'failed';

export function RunButton({ place, look }: { place: RunPlace; look?: ButtonProps['look'] }) {
  const here = useStudio((state) => runPlace(state) === place);
  const text = useStudio(({ project, job }) => {
    if (stopped(job.state)) return t('Go on');
    return project?.scene ? t('Reconstruct again') : t('Start');
  });
  if (!here) return null;
  return (
    <CommandButton
      id="run.start"
      look={look}
      icon="play"
    >
      {text}
    </CommandButton>
  );
}

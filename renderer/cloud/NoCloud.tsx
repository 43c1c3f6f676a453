import { CommandButton } from '../commands/CommandButton.js';
import { Empty } from '../design/controls.js';
import { RunButton } from '../run/RunButton.js';
import { Forecast } from '../run/RunPanel.js';
import { isActive, useStudio } from '../store/studio.js';
import { t } from '../words/index.js';

/** What the view says in the place of a cloud. `arrived` is the share of one that is on its way. */
export function NoCloud({ arrived }: { arrived: number | undefined }) {
  const running = useStudio(({ job }) => isActive(job));
  const photos = useStudio(({ project }) => project?.photos.length ?? 0);
  if (arrived !== undefined) return <Empty title={t('Loading the cloud… {n} %', { n: Math.round(arrived * 100) })} />;
  if (running)
    return (
      <Empty title={t('The cloud grows here')}>
        <p>{t('Cameras and first points appear as soon as photos are placed.')}</p>
      </Empty>
    );
  if (photos === 0)
    return (
      <Empty title={t('No photos yet')}>
        <p>{t('Drop a handful of photos of the same place, taken from different spots.')}</p>
        <CommandButton
          id="photos.add"
          look={['primary', 'large']}
          icon="plus"
        >
          {t('Choose photos')}
        </CommandButton>
      </Empty>
    );
  return <BeforeTheRun />;
}

function BeforeTheRun() {
  const preflight = useStudio(({ preflight }) => preflight);
  const problem = useStudio(({ preflightError }) => preflightError);
  return (
    <Empty title={t('No cloud yet')}>
      <p>{t('Start the reconstruction; cameras and points appear while it runs.')}</p>
      {preflight && <Forecast preflight={preflight} />}
      {problem !== undefined && <p className="fair">{problem}</p>}
      <RunButton
        place="view"
        look={['primary', 'large']}
      />
    </Empty>
  );
}

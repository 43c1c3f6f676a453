import { CommandButton } from '../commands/CommandButton.js';
import { Empty } from '../design/controls.js';
import { useStudio } from '../store/studio.js';
import { t } from '../words/index.js';
import { purposes, purposeIds } from './PurposeChoice.js';

/** What can be written, by purpose, and the door to the dialog that writes it. */
export function ExportPanel() {
  const cloud = useStudio(({ project }) => project?.scene !== undefined);
  if (!cloud)
    return (
      <Empty title={t('Nothing to export yet')}>
        <p>{t('Cameras, depth maps, cloud and mesh are written from here once there is a cloud.')}</p>
      </Empty>
    );
  return (
    <div className="panel">
      <div className="section">
        <h2>{t('Export')}</h2>
        <dl className="purposes">
          {purposeIds.map((id) => (
            <div key={id}>
              <dt>{purposes()[id].title}</dt>
              <dd className="quiet">{purposes()[id].use}</dd>
            </div>
          ))}
        </dl>
        <CommandButton
          id="export.open"
          look={['primary', 'large', 'wide']}
          icon="export"
        >
          {t('Choose and export…')}
        </CommandButton>
      </div>
    </div>
  );
}

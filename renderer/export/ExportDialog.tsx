import { useEffect, useState } from 'react';
import { exportFormats, type Result } from '../../electron/contract/api.js';
import { attempt } from '../commands/project.js';
import type { ExportProgress, PresetSettings } from '../../electron/contract/presets.js';
import { Bar, Button, Dialog, DoneFooter, Field } from '../design/controls.js';
import { bytesText } from '../design/format.js';
import { askForFiles } from '../store/file-question.js';
import { setStudio, useStudio } from '../store/studio.js';
import { api, desktop } from '../transport/index.js';
import { PurposeChoice } from './PurposeChoice.js';
import './export.css';
import { t } from '../words/index.js';

type Format = (typeof exportFormats)[number];

const formats: Readonly<Record<Format, { title: string; use: string }>> = {
  ply: { title: 'PLY', use: t('point cloud for MeshLab, CloudCompare, Open3D') },
  glb: { title: 'GLB', use: t('cloud and cameras for Blender and the web') },
  cameras: { title: 'cameras.json', use: t('poses and intrinsics in original pixels') },
  'depth-png': { title: t('Depth maps, PNG'), use: t('16 bits, with their scale beside them') },
  'depth-pfm': { title: t('Depth maps, PFM'), use: t('floating point') },
  'colmap-text': { title: t('COLMAP, text'), use: t('and the photos, for reading and for other reconstruction tools') },
  'colmap-bin': { title: t('COLMAP, binary'), use: t('the same, smaller; for Gaussian splatting') },
  nerfstudio: { title: 'transforms.json', use: t('and the photos, for Nerfstudio and Gaussian splatting') },
};

/** What to write, how large it will be, where, and how to do the same from the command line. */
export function ExportDialog() {
  const project = useStudio(({ project }) => project)!;
  const [chosen, setChosen] = useState<readonly Format[]>(['ply', 'glb', 'cameras']);
  const [folder, setFolder] = useState(() => (project.saved ? project.path.replace(/\.pointmap$/, ' export') : ''));
  const [estimate, setEstimate] = useState<Result<'export.estimate'>>();
  const [written, setWritten] = useState<Result<'export.write'>['files']>();
  const [busy, setBusy] = useState(false);
  /** Undefined: the formats that are ticked. */
  const [settings, setSettings] = useState<PresetSettings>();
  const [progress, setProgress] = useState<ExportProgress>();
  useEffect(() => api.on('export.progress', setProgress), []);
  const list = chosen.join();
  useEffect(() => {
    let current = true;
    void attempt(async () => {
      const answer = settings
        ? await api.request('export.presetEstimate', { settings, folder })
        : await api.request('export.estimate', { formats: [...chosen], folder });
      if (current) setEstimate(answer);
    });
    return () => {
      current = false;
    };
  }, [list, settings, folder, project.scene?.revision]); // eslint-disable-line react-hooks/exhaustive-deps
  const close = (): void => {
    if (busy && settings) void attempt(() => api.request('export.cancel', {}));
    else setStudio({ dialog: undefined });
  };
  const nothing = !settings && chosen.length === 0;
  const choose = async (): Promise<void> => {
    const title = t('Folder to export into');
    const answer = desktop ? await desktop.chooseFolder(title) : (await askForFiles({ title, accept: 'folder' }))[0];
    if (answer) setFolder(answer);
  };
  const write = async (): Promise<void> => {
    setBusy(true);
    const answer = await attempt(() =>
      settings
        ? api.request('export.preset', { folder, settings })
        : api.request('export.write', { folder, formats: [...chosen] }),
    );
    setBusy(false);
    setProgress(undefined);
    if (answer) setWritten(answer.files);
  };
  if (written) {
    return (
      <Dialog
        title={t('Exported')}
        onClose={close}
        footer={
          <DoneFooter onDone={close}>
            {desktop && (
              <Button
                icon="folder"
                onClick={() => desktop!.showInFolder(written[0]?.path ?? folder)}
              >
                {t('Open folder')}
              </Button>
            )}
            <Button
              onClick={() => void navigator.clipboard.writeText(folder)}
              icon="copy"
            >
              {t('Copy path')}
            </Button>
          </DoneFooter>
        }
      >
        <div className="body">
          <p className="mono path">{folder}</p>
          <ul className="written">
            {written.map(({ path, bytes }) => (
              <li
                key={path}
                className="spread"
              >
                <span className="truncate">{path.slice(folder.length + 1)}</span>
                <span className="quiet numeric">{bytesText(bytes)}</span>
              </li>
            ))}
          </ul>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog
      title={t('Export')}
      onClose={close}
      footer={
        <>
          <span className="quiet push numeric">
            {estimate && !nothing ? t('about {size}', { size: bytesText(estimate.bytes) }) : ''}
          </span>
          <Button onClick={close}>{t('Cancel')}</Button>
          <Button
            look="primary"
            disabled={busy || nothing || folder === ''}
            onClick={() => void write()}
          >
            {busy ? t('Writing…') : t('Export')}
          </Button>
        </>
      }
    >
      <div className="body">
        <PurposeChoice
          settings={settings}
          onChange={setSettings}
        />
        {!settings && (
          <FormatChoice
            chosen={chosen}
            onChange={setChosen}
          />
        )}
        {busy && progress && (
          <div className="field">
            <span className="quiet truncate">{progress.file ?? t('finishing')}</span>
            <Bar
              done={progress.done}
              total={progress.total}
              label={t('Files written')}
            />
          </div>
        )}
        <Field label={t('Folder')}>
          {(id) => (
            <div className="row">
              <input
                id={id}
                className="input"
                value={folder}
                placeholder={t('Choose where the files go')}
                onChange={(event) => setFolder(event.target.value)}
              />
              <Button
                icon="folder"
                onClick={() => void choose()}
              >
                {t('Choose…')}
              </Button>
            </div>
          )}
        </Field>
        {estimate && (
          <div className="field">
            <span className="quiet">{t('The same from the command line')}</span>
            <code
              className="mono command"
              tabIndex={0}
            >
              {estimate.command}
            </code>
          </div>
        )}
      </div>
    </Dialog>
  );
}

function FormatChoice({
  chosen,
  onChange,
}: {
  chosen: readonly Format[];
  onChange: (chosen: readonly Format[]) => void;
}) {
  return (
    <fieldset className="formats">
      <legend className="quiet">{t('Formats')}</legend>
      {exportFormats.map((format) => (
        <label key={format}>
          <input
            type="checkbox"
            checked={chosen.includes(format)}
            onChange={(event) =>
              onChange(event.target.checked ? [...chosen, format] : chosen.filter((each) => each !== format))
            }
          />
          <span>{formats[format].title}</span>
          <span className="faint">{formats[format].use}</span>
        </label>
      ))}
    </fieldset>
  );
}

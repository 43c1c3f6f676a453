import { presetIds, type PresetId, type PresetSettings } from '../../electron/contract/presets.js';
import { Select, Slider } from '../design/controls.js';
import { t } from '../words/index.js';

type Purpose = PresetId | 'files';

export const purposeIds: readonly Purpose[] = ['files', ...presetIds];

export const purposes = (): Readonly<Record<Purpose, { title: string; use: string }>> => ({
  files: {
    title: t('Single files'),
    use: t('The formats ticked below, with cameras of the original photos.'),
  },
  blender: {
    title: 'Blender',
    use: t('Cloud or mesh, undistorted photos behind their cameras, and open_in_blender.py, which sets all up.'),
  },
  splatting: {
    title: t('Gaussian splatting'),
    use: t('Undistorted photos, COLMAP model with pinhole cameras, transforms.json, masks, points to start from.'),
  },
  survey: { title: t('Survey'), use: t('LAS 1.4 and PLY with their offset, and a report to print.') },
  compositing: {
    title: t('Compositing'),
    use: t('Undistorted plates, 32-bit EXR depth, cameras as glTF and Nuke .chan, ST-maps both ways.'),
  },
  colmap: {
    title: 'COLMAP',
    use: t('Binary model of the original photos with their distortion, and the photos.'),
  },
});

const DEFAULTS: Omit<PresetSettings, 'preset'> = { crop: 'inside', format: 'auto', quality: 95, mostPoints: 200_000 };
/** Those that write undistorted photos. */
const undistorting: readonly PresetId[] = ['blender', 'splatting', 'compositing'];

/** What the export is for, and the choices that go with it; they are forgotten with the dialog. */
export function PurposeChoice({
  settings,
  onChange,
}: {
  settings: PresetSettings | undefined;
  onChange: (settings: PresetSettings | undefined) => void;
}) {
  const purpose: Purpose = settings?.preset ?? 'files';
  return (
    <div className="options">
      <Select
        label={t('For')}
        value={purpose}
        choices={purposeIds.map((value) => ({ value, title: purposes()[value].title }))}
        note={purposes()[purpose].use}
        onChange={(value) => onChange(value === 'files' ? undefined : { ...DEFAULTS, ...settings, preset: value })}
      />
      {settings && undistorting.includes(settings.preset) && (
        <PictureOptions
          settings={settings}
          onChange={onChange}
        />
      )}
    </div>
  );
}

function PictureOptions({
  settings,
  onChange,
}: {
  settings: PresetSettings;
  onChange: (settings: PresetSettings) => void;
}) {
  return (
    <>
      <Select
        label={t('Undistorted photos show')}
        value={settings.crop}
        choices={[
          { value: 'inside', title: t('as much as fits without empty pixels') },
          { value: 'photo', title: t('the size of the photo') },
          { value: 'all', title: t('everything, with empty borders') },
        ]}
        onChange={(crop) => onChange({ ...settings, crop })}
      />
      <Select
        label={t('Saved as')}
        value={settings.format}
        choices={[
          { value: 'auto', title: t('JPEG, or PNG where the photo is one') },
          { value: 'png', title: 'PNG' },
          { value: 'png16', title: t('PNG with 16 bits a channel') },
        ]}
        onChange={(format) => onChange({ ...settings, format })}
      />
      {settings.format === 'auto' && (
        <Slider
          label={t('JPEG quality')}
          min={50}
          max={100}
          step={1}
          value={settings.quality}
          onChange={(quality) => onChange({ ...settings, quality })}
        />
      )}
    </>
  );
}

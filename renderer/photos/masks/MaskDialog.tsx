import { useState } from 'react';
import type { PhotoInfo } from '../../../electron/contract/api.js';
import { attempt } from '../../commands/project.js';
import { Button, Dialog, Select, Slider } from '../../design/controls.js';
import { setStudio, useStudio } from '../../store/studio.js';
import { api } from '../../transport/index.js';
import { plural, t } from '../../words/index.js';
import { runLengths } from './paint.js';
import { usePainting, type Painting } from './use-painting.js';
import './masks.css';

type Tool = Painting['tool'];
const tools: readonly { value: Tool; title: string }[] = [
  { value: 'brush', title: t('Brush') },
  { value: 'polygon', title: t('Polygon') },
  { value: 'flood', title: t('Flood by colour') },
  { value: 'object', title: t('Object') },
];

/** Paints the mask of the photo selected last; what is hidden is tinted. The other selected photos may take it over. */
export function MaskDialog() {
  const photo = useStudio(({ project, selectedPhotos }) =>
    project?.photos.find(({ id }) => id === selectedPhotos.at(-1)),
  );
  if (!photo) return null;
  return (
    <Painter
      key={photo.id}
      photo={photo}
    />
  );
}

const close = (): void => setStudio({ dialog: undefined });

function Painter({ photo }: { photo: PhotoInfo }) {
  const photos = useStudio(({ project }) => project?.photos) ?? [];
  const selected = useStudio(({ selectedPhotos }) => selectedPhotos);
  const others = similar(photo, photos, selected);
  const [tool, setTool] = useState<Tool>('brush');
  const [value, setValue] = useState<0 | 1>(0);
  const [radius, setRadius] = useState(25);
  const [tolerance, setTolerance] = useState(24);
  const { canvas, steps, trouble, ...painting } = usePainting(photo, { tool, value, radius, tolerance });
  const save = async (photos: string[]): Promise<void> => {
    const mask = painting.mask();
    if (!mask) return;
    const { width, height, keep } = mask;
    const saved = await attempt(() =>
      api.request('photos.paintMask', { photos, width, height, runs: runLengths(keep) }),
    );
    if (saved !== undefined) close();
  };
  return (
    <Dialog
      title={t('Mask of {name}', { name: photo.name })}
      onClose={close}
      footer={
        <>
          <Button
            icon="undo"
            disabled={steps === 0}
            onClick={painting.undo}
          >
            {t('Undo')}
          </Button>
          <Button onClick={() => painting.all(1)}>{t('Use all')}</Button>
          <Button onClick={() => painting.all(0)}>{t('Hide all')}</Button>
          {others.length > 0 && (
            <Button
              className="push"
              onClick={() => save([photo.id, ...others])}
            >
              {plural(others.length, 'Save, and for {n} other', 'Save, and for {n} others')}
            </Button>
          )}
          <Button
            look={['primary']}
            className={others.length > 0 ? '' : 'push'}
            onClick={() => save([photo.id])}
          >
            {t('Save')}
          </Button>
        </>
      }
    >
      <div className="body mask-painter">
        <div className="row">
          <Select
            label={t('Tool')}
            value={tool}
            choices={tools}
            onChange={setTool}
          />
          <Select
            label={t('Paints')}
            value={value === 0 ? 'hidden' : 'used'}
            choices={[
              { value: 'hidden', title: t('Hidden') },
              { value: 'used', title: t('Used') },
            ]}
            onChange={(chosen) => setValue(chosen === 'hidden' ? 0 : 1)}
          />
          {tool === 'brush' && (
            <Slider
              label={t('Size')}
              value={radius}
              min={2}
              max={120}
              step={1}
              onChange={setRadius}
            />
          )}
          {tool === 'flood' && (
            <Slider
              label={t('Tolerance')}
              value={tolerance}
              min={2}
              max={100}
              step={1}
              onChange={setTolerance}
            />
          )}
        </div>
        <canvas
          ref={canvas}
          className="mask-canvas"
          aria-label={t('Photo, with what is hidden tinted')}
          {...painting.handlers}
        />
        {tool === 'object' && (
          <p className="quiet">
            {t('Click an object, or drag a box round it: an installed network finds its outline.')}
          </p>
        )}
        {tool === 'object' && trouble && <p role="alert">{trouble}</p>}
        {tool === 'polygon' && <p className="quiet">{t('Click corners; a double click closes the polygon.')}</p>}
      </div>
    </Dialog>
  );
}

/** The other selected photos of the same shape. */
function similar(
  { id, width, height }: PhotoInfo,
  photos: readonly PhotoInfo[],
  selected: readonly string[],
): string[] {
  return photos
    .filter((each) => each.id !== id && selected.includes(each.id) && each.width * height === each.height * width)
    .map((each) => each.id);
}

import type { CameraInfo, PhotoInfo } from '../../electron/contract/api.js';
import { apply } from '../commands/project.js';
import { CommandButton } from '../commands/CommandButton.js';
import { Button, Facts, Field } from '../design/controls.js';
import { bytesText, dateText, figuresText, fixedText, focalText, lengthText, stem } from '../design/format.js';
import { setLayout, useLayout } from '../store/layout.js';
import { isActive, useStudio } from '../store/studio.js';
import { api } from '../transport/index.js';
import { residualFact } from './residual.js';
import { t } from '../words/index.js';

/** Below the step that is open: what is known of the photo selected last, and what can be decided about it. */
export function SelectedPhoto() {
  const count = useStudio(({ selectedPhotos }) => selectedPhotos.length);
  const photo = useStudio(({ project, selectedPhotos }) =>
    project?.photos.find(({ id }) => id === selectedPhotos.at(-1)),
  );
  const camera = useStudio(({ project, selectedPhotos }) =>
    project?.scene?.cameras.find((each) => each.photo === selectedPhotos.at(-1)),
  );
  const kind = useLayout(({ step }) => (step === 'photos' ? 'details' : 'detailsElsewhere'));
  const open = useLayout((layout) => layout[kind]);
  if (!photo) return null;
  return (
    <section
      className={`selected-photo${open ? ' open' : ''}`}
      aria-label={t('Selected photo')}
    >
      <header className="spread">
        <h2 className="truncate">{t('Photo {name}', { name: stem(photo.name) })}</h2>
        {count > 1 && <span className="quiet">{t('{n} selected', { n: count })}</span>}
        <Button
          look={['plain', 'square']}
          icon={open ? 'down' : 'unfold'}
          aria-expanded={open}
          aria-label={open ? t('Hide the facts of the photo') : t('Show the facts of the photo')}
          title={open ? t('Hide the facts of the photo') : t('Show the facts of the photo')}
          onClick={() => setLayout({ [kind]: !open })}
        />
      </header>
      {open && (
        <PhotoDetails
          photo={photo}
          camera={camera}
        />
      )}
    </section>
  );
}

function PhotoDetails({ photo, camera }: { photo: PhotoInfo; camera: CameraInfo | undefined }) {
  const busy = useStudio(({ job }) => isActive(job));
  const { id, name, focal, enabled, locked, reason, path } = photo;
  return (
    <div className="selected-body">
      <div className="row">
        <CommandButton
          id="view.through"
          icon="eye"
        >
          {t('Look through')}
        </CommandButton>
        <CommandButton
          id="photos.toggle"
          icon="power"
        >
          {enabled ? t('Switch off') : t('Switch on')}
        </CommandButton>
        <CommandButton
          id="photos.lock"
          icon="lock"
        >
          {locked ? t('Free pose') : t('Lock pose')}
        </CommandButton>
        <CommandButton
          id="photos.remove"
          icon="trash"
        >
          {t('Remove')}
        </CommandButton>
      </div>
      <img
        className="photo-large"
        src={api.binaryUrl(`photo/${id}`)}
        alt={t('Photo {name}', { name })}
      />
      {reason !== undefined && <p className="bad">{reason}</p>}
      <PhotoFacts
        photo={photo}
        camera={camera}
      />
      <FocalField
        key={`${id} ${focal?.pixels}`}
        id={id}
        pixels={focal?.source === 'user' ? focal.pixels : undefined}
        disabled={busy}
      />
      <p className="faint mono path">{path}</p>
    </div>
  );
}

function PhotoFacts({ photo, camera }: { photo: PhotoInfo; camera: CameraInfo | undefined }) {
  const { width, height, size, focal, sharpness, blurred, residual, reprojection, depthRange, takenAt } = photo;
  return (
    <Facts
      facts={[
        [t('Size'), `${width} × ${height}, ${bytesText(size)}`],
        takenAt !== undefined && [t('Taken'), dateText(takenAt)],
        photo.camera !== undefined && [t('Camera'), photo.camera],
        [
          t('Sharpness'),
          <span
            key="s"
            className={blurred ? 'fair' : ''}
          >
            {figuresText(sharpness, 2)}
            {blurred ? `, ${t('soft')}` : ''}
          </span>,
        ],
        focal && [t('Focal'), `${fixedText(focal.pixels, 0)} px, ${focalText(focal.source)}`],
        camera && [t('Solved focal'), `${fixedText(camera.fx, 1)} px`],
        camera && [t('Distortion k1'), fixedText(camera.k1, 4)],
        reprojection !== undefined && [t('Reprojection error'), `${fixedText(reprojection, 2)} px`],
        residual !== undefined && residualFact(residual),
        depthRange && [
          t('Depth range'),
          t('{least} to {most}', { least: lengthText(depthRange[0]), most: lengthText(depthRange[1]) }),
        ],
      ]}
    />
  );
}

/** A focal in original pixels that the user knows better than the EXIF data. */
function FocalField({ id, pixels, disabled }: { id: string; pixels: number | undefined; disabled: boolean }) {
  return (
    <form
      className="row"
      onSubmit={(event) => {
        event.preventDefault();
        const text = String(new FormData(event.currentTarget).get('focal')).trim();
        const value = text === '' ? null : Number(text);
        if (value === null || value > 0) void apply({ kind: 'focal', photos: [id], pixels: value });
      }}
    >
      <Field label={t('Known focal, original pixels')}>
        {(field) => (
          <input
            id={field}
            name="focal"
            className="input"
            type="number"
            min="1"
            step="any"
            placeholder={t('not given')}
            defaultValue={pixels}
            disabled={disabled}
          />
        )}
      </Field>
      <Button
        type="submit"
        className="at-field"
        disabled={disabled}
      >
        {t('Set')}
      </Button>
    </form>
  );
}

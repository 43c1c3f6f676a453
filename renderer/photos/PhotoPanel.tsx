import { apply } from '../commands/project.js';
import { CommandButton } from '../commands/CommandButton.js';
import { Button, Empty, Facts, Field } from '../design/controls.js';
import { bytesText, focalText, lengthText, stem } from '../design/format.js';
import { isActive, useStudio } from '../store/studio.js';
import { api } from '../transport/index.js';

/** What is known of the photo selected last, and what can be decided about it. */
export function PhotoPanel() {
  const selected = useStudio(({ selectedPhotos }) => selectedPhotos);
  const photo = useStudio(({ project, selectedPhotos }) =>
    project?.photos.find(({ id }) => id === selectedPhotos.at(-1)),
  );
  const camera = useStudio(({ project, selectedPhotos }) =>
    project?.scene?.cameras.find((each) => each.photo === selectedPhotos.at(-1)),
  );
  const busy = useStudio(({ job }) => isActive(job));
  if (!photo)
    return (
      <div className="panel">
        <Empty title="No photo selected">
          <p>Select one in the list, in the cloud or in the pose graph.</p>
        </Empty>
      </div>
    );
  const {
    id,
    name,
    width,
    height,
    size,
    focal,
    sharpness,
    blurred,
    residual,
    depthRange,
    takenAt,
    path,
    reason,
    enabled,
    locked,
  } = photo;
  return (
    <div className="panel">
      <div className="section">
        <img
          className="photo-large"
          src={api.binaryUrl(`photo/${id}`)}
          alt={`Photo ${name}`}
        />
        <div className="spread">
          <h2 className="truncate">{stem(name)}</h2>
          {selected.length > 1 && <span className="quiet">{selected.length} selected</span>}
        </div>
        <Facts
          facts={[
            ['Size', `${width} × ${height}, ${bytesText(size)}`],
            takenAt !== undefined && ['Taken', new Date(takenAt).toLocaleString()],
            photo.camera !== undefined && ['Camera', photo.camera],
            [
              'Sharpness',
              <span
                key="s"
                className={blurred ? 'fair' : ''}
              >
                {sharpness.toPrecision(2)}
                {blurred ? ', soft' : ''}
              </span>,
            ],
            focal && ['Focal', `${focal.pixels.toFixed(0)} px, ${focalText(focal.source)}`],
            camera && ['Solved focal', `${camera.fx.toFixed(1)} px`],
            residual !== undefined && [
              'Residual',
              <span
                key="r"
                className={residualTone(residual)}
              >
                {(residual * 100).toPrecision(2)} %
              </span>,
            ],
            depthRange && ['Depth range', `${lengthText(depthRange[0])} to ${lengthText(depthRange[1])}`],
          ]}
        />
        {reason !== undefined && <p className="bad">{reason}</p>}
        <p className="faint mono path">{path}</p>
      </div>
      <div className="section">
        <FocalField
          key={`${id} ${focal?.pixels}`}
          id={id}
          pixels={focal?.source === 'user' ? focal.pixels : undefined}
          disabled={busy}
        />
        <div className="row">
          <CommandButton
            id="photos.toggle"
            icon="power"
          >
            {enabled ? 'Switch off' : 'Switch on'}
          </CommandButton>
          <CommandButton
            id="photos.lock"
            icon="lock"
          >
            {locked ? 'Free pose' : 'Lock pose'}
          </CommandButton>
        </div>
        <CommandButton
          id="view.through"
          icon="eye"
        >
          Look through this camera
        </CommandButton>
      </div>
    </div>
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
      <Field label="Known focal, original pixels">
        {(field) => (
          <input
            id={field}
            name="focal"
            className="input"
            type="number"
            min="1"
            step="any"
            placeholder="not given"
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
        Set
      </Button>
    </form>
  );
}

/** Share of the depth: below one in a hundred is what good photos give. */
export function residualTone(residual: number): 'good' | 'fair' | 'bad' {
  return residual < 0.012 ? 'good' : residual < 0.03 ? 'fair' : 'bad';
}

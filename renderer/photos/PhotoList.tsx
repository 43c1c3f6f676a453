import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, useEffect, useMemo, useRef, type KeyboardEvent, type MouseEvent } from 'react';
import type { PhotoInfo } from '../../electron/contract/api.js';
import { apply } from '../commands/project.js';
import { isActive, setViewer, setStudio, studio, useStudio } from '../store/studio.js';
import { api } from '../transport/index.js';
import { openMenu } from '../commands/menu.js';
import { CommandButton } from '../commands/CommandButton.js';
import { Badge, Button, Empty } from '../design/controls.js';
import { Icon } from '../design/icons.js';
import { fixedText, focalText, stem } from '../design/format.js';
import { plural, t } from '../words/index.js';
import { useShownPhotos } from '../store/photo-view.js';
import { choose } from '../store/selection.js';
import { PhotoChoice } from './PhotoChoice.js';
import { photoMenu } from './photo-menu.js';
import { stepPhoto } from './step-photo.js';
import './photos.css';

const ROW = 64;

/** Every photo of the project; only the rows in sight exist, however many there are. */
export function PhotoList() {
  const all = useStudio(({ project }) => project?.photos) ?? [];
  const photos = useShownPhotos();
  const selected = useStudio(({ selectedPhotos }) => selectedPhotos);
  const scroller = useRef<HTMLDivElement>(null);
  // eslint-disable-next-line react-hooks/incompatible-library
  const rows = useVirtualizer({
    count: photos.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 6,
  });
  const chosen = useMemo(() => new Set(selected), [selected]);
  const last = photos.findIndex(({ id }) => id === selected.at(-1));
  // Again when the list gets another height: what is told of the selected photo takes its room below.
  const height = rows.scrollRect?.height;
  useEffect(() => {
    if (last >= 0) rows.scrollToIndex(last);
  }, [last, height, rows]);

  const press = (event: KeyboardEvent): void =>
    stepPhoto(event, photos, last, { ArrowDown: 1, ArrowUp: -1, Home: -photos.length, End: photos.length });

  return (
    <div className="photo-panel">
      <div className="photo-head spread">
        <span className="quiet numeric">{countText(all, photos.length)}</span>
        <CommandButton
          id="photos.add"
          icon="plus"
        >
          {t('Add photos')}
        </CommandButton>
      </div>
      {all.length > 1 && <PhotoChoice />}
      {all.length > 0 && photos.length === 0 && <p className="quiet photo-none">{t('No photo is like that.')}</p>}
      {all.length === 0 ? (
        <Empty title={t('No photos yet')}>
          <p>{t('Drop photos or a folder anywhere in this window.')}</p>
          <CommandButton
            id="photos.add"
            look="primary"
          >
            {t('Choose photos')}
          </CommandButton>
        </Empty>
      ) : (
        <div
          className="photo-scroll"
          ref={scroller}
          tabIndex={0}
          role="listbox"
          aria-label={t('Photos')}
          aria-multiselectable="true"
          aria-activedescendant={last >= 0 ? `photo-${last}` : undefined}
          onKeyDown={press}
        >
          <div
            className="virtual"
            role="presentation"
            style={{ height: rows.getTotalSize() }}
          >
            {rows.getVirtualItems().map(({ index, start, key }) => (
              <Row
                key={key}
                photo={photos[index]!}
                index={index}
                start={start}
                selected={chosen.has(photos[index]!.id)}
              />
            ))}
          </div>
        </div>
      )}
      <Doubtful photos={all} />
      {all.some(({ missing }) => missing) && (
        <div className="section spread">
          <span className="bad">
            {plural(all.filter(({ missing }) => missing).length, '{n} photo was moved', '{n} photos were moved')}
          </span>
          <CommandButton id="photos.relocate">{t('Find them…')}</CommandButton>
        </div>
      )}
    </div>
  );
}

function countText(photos: readonly PhotoInfo[], shown: number): string {
  const placed = photos.filter((photo) => photo.enabled && photo.placed).length;
  const known = photos.some((photo) => photo.placed !== undefined);
  const count = known
    ? t('{placed} of {all} placed', { placed, all: photos.filter(({ enabled }) => enabled).length })
    : plural(photos.length, '{n} photo', '{n} photos');
  return shown === photos.length ? count : `${count} · ${t('{n} shown', { n: shown })}`;
}

/** Blurred and duplicate photos do more harm than good; switching them off is one click, and one step of undo. */
function Doubtful({ photos }: { photos: readonly PhotoInfo[] }) {
  const busy = useStudio(({ job }) => isActive(job));
  const soft = photos.filter(({ enabled, blurred }) => enabled && blurred);
  const doubles = photos.filter(
    ({ enabled, duplicateOf, blurred }) => enabled && duplicateOf !== undefined && !blurred,
  );
  if (soft.length + doubles.length === 0) return null;
  const words = [
    soft.length > 0 && t('{n} soft', { n: soft.length }),
    doubles.length > 0 && t('{n} double', { n: doubles.length }),
  ]
    .filter(Boolean)
    .join(', ');
  return (
    <div className="section spread">
      <span className="fair">{words}</span>
      <Button
        disabled={busy}
        onClick={() =>
          apply({ kind: 'photos-enabled', photos: [...soft, ...doubles].map(({ id }) => id), enabled: false })
        }
      >
        {t('Switch off')}
      </Button>
    </div>
  );
}

interface RowProps {
  photo: PhotoInfo;
  index: number;
  start: number;
  selected: boolean;
}

/** Scrolling makes only those anew that come into sight. */
const Row = memo(function Row({ photo, index, start, selected }: RowProps) {
  const { id, name, width, height, focal, enabled } = photo;
  return (
    <div
      id={`photo-${index}`}
      role="option"
      aria-selected={selected}
      className={`photo-row${selected ? ' selected' : ''}${enabled ? '' : ' off'}`}
      style={{ translate: `0 ${start}px` }}
      title={photo.reason ?? photo.path}
      onClick={(event: MouseEvent) => choose(id, event)}
      onDoubleClick={() => {
        if (studio().project?.scene?.cameras.some((camera) => camera.photo === id)) setViewer({ lookThrough: id });
      }}
      onContextMenu={(event) => {
        if (!selected) setStudio({ selectedPhotos: [id] });
        openMenu(event, photoMenu);
      }}
    >
      <img
        src={api.binaryUrl(`thumbnail/${id}`)}
        alt=""
        width={70}
        height={52}
        loading="lazy"
        decoding="async"
        draggable={false}
      />
      <div className="photo-text">
        <strong className="truncate">{stem(name)}</strong>
        <span className="quiet numeric truncate">
          {width} × {height}
        </span>
        <span className="faint numeric truncate">
          {focal ? `${fixedText(focal.pixels, 0)} px, ${focalText(focal.source)}` : t('focal not known')}
        </span>
      </div>
      <div className="photo-marks">
        <State photo={photo} />
        {photo.locked && <Icon name="lock" />}
      </div>
    </div>
  );
});

function State({ photo: { enabled, missing, duplicateOf, blurred, placed, reason } }: { photo: PhotoInfo }) {
  if (missing)
    return (
      <Badge
        tone="bad"
        title={t('The file is not where it was')}
      >
        {t('missing')}
      </Badge>
    );
  if (!enabled) return <Badge tone="fair">{t('off')}</Badge>;
  if (duplicateOf !== undefined)
    return (
      <Badge
        tone="fair"
        title={t('The same picture as another one')}
      >
        {t('double')}
      </Badge>
    );
  if (placed === false)
    return (
      <Badge
        tone="bad"
        title={reason}
      >
        {t('not placed')}
      </Badge>
    );
  if (blurred)
    return (
      <Badge
        tone="fair"
        title={t('Less sharp than the others')}
      >
        {t('soft')}
      </Badge>
    );
  if (placed) return <Badge tone="good">{t('placed')}</Badge>;
  return null;
}

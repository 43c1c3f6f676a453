import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, type KeyboardEvent } from 'react';
import type { PhotoInfo } from '../../electron/contract/api.js';
import { openMenu } from '../commands/menu.js';
import { Empty } from '../design/controls.js';
import { stem } from '../design/format.js';
import { useSize } from '../design/use-size.js';
import { useShownPhotos } from '../store/photo-view.js';
import { choose } from '../store/selection.js';
import { setViewer, studio, useStudio } from '../store/studio.js';
import { api } from '../transport/index.js';
import { t } from '../words/index.js';
import { photoMenu } from './photo-menu.js';
import { stepPhoto } from './step-photo.js';

/** Of a picture with its name, pixels. */
const CELL = { width: 116, height: 100 };

/** All photos as pictures, as many in a row as there is room for; only the rows in sight exist. */
export function PhotoStrip() {
  const photos = useShownPhotos();
  const selected = useStudio(({ selectedPhotos }) => selectedPhotos);
  const [frame, size] = useSize();
  const scroller = useRef<HTMLDivElement>(null);
  const columns = Math.max(1, Math.floor((size.width - 16) / CELL.width));
  // eslint-disable-next-line react-hooks/incompatible-library
  const rows = useVirtualizer({
    count: Math.ceil(photos.length / columns),
    getScrollElement: () => scroller.current,
    estimateSize: () => CELL.height,
    overscan: 2,
  });
  const last = photos.findIndex(({ id }) => id === selected.at(-1));
  useEffect(() => {
    if (last >= 0) rows.scrollToIndex(Math.floor(last / columns));
  }, [last, columns, rows]);
  const press = (event: KeyboardEvent): void =>
    stepPhoto(event, photos, last, { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns });
  if (photos.length === 0) return <Empty title={t('No photos yet')} />;
  return (
    <div
      className="strip"
      ref={frame}
    >
      <div
        className="strip-scroll"
        ref={scroller}
        tabIndex={0}
        role="listbox"
        aria-label={t('Photo strip')}
        aria-multiselectable="true"
        aria-activedescendant={last >= 0 ? `strip-${last}` : undefined}
        onKeyDown={press}
      >
        <div
          role="presentation"
          className="virtual"
          style={{ height: rows.getTotalSize() }}
        >
          {rows.getVirtualItems().flatMap(({ index: row, start }) =>
            photos.slice(row * columns, (row + 1) * columns).map((photo, column) => (
              <Picture
                key={photo.id}
                photo={photo}
                index={row * columns + column}
                x={column * CELL.width}
                y={start}
                selected={selected.includes(photo.id)}
              />
            )),
          )}
        </div>
      </div>
    </div>
  );
}

interface PictureProps {
  photo: PhotoInfo;
  index: number;
  x: number;
  y: number;
  selected: boolean;
}

function Picture({ photo: { id, name, enabled, placed }, index, x, y, selected }: PictureProps) {
  const looks = [selected && 'selected', !enabled && 'off', placed === false && 'lost'].filter(Boolean);
  return (
    <div
      id={`strip-${index}`}
      role="option"
      aria-selected={selected}
      className={['strip-photo', ...looks].join(' ')}
      style={{ translate: `${x}px ${y}px`, width: CELL.width, height: CELL.height }}
      title={name}
      onClick={(event) => choose(id, event)}
      onContextMenu={(event) => {
        if (!selected) choose(id, {});
        openMenu(event, photoMenu);
      }}
      onDoubleClick={() => {
        if (studio().project?.scene?.cameras.some((camera) => camera.photo === id)) setViewer({ lookThrough: id });
      }}
    >
      <img
        src={api.binaryUrl(`thumbnail/${id}`)}
        alt=""
        loading="lazy"
        decoding="async"
        draggable={false}
      />
      <span className="truncate">{stem(name)}</span>
    </div>
  );
}

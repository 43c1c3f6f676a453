import { useState, type CSSProperties, type ReactNode } from 'react';
import type { PhotoInfo } from '../../electron/contract/api.js';
import type { PhotoMaps } from '../../electron/contract/photo-maps.js';
import { Button, Empty } from '../design/controls.js';
import { stem } from '../design/format.js';
import { useSize } from '../design/use-size.js';
import { useStudio } from '../store/studio.js';
import { ConfidenceLegend } from './ConfidenceLegend.js';
import './depth.css';
import { DepthValues } from './DepthValues.js';
import { MapCanvas } from './MapCanvas.js';
import { useMaps } from './maps.js';
import { PhotoCanvas } from './PhotoCanvas.js';
import { useZooming } from './use-zooming.js';
import { fitting, whole, type Zoom } from './zoom.js';
import { t } from '../words/index.js';

/** Below each picture, and between two, pixels. */
const ROOM = { caption: 20, gap: 12 };

/**
 * The photo selected last, its depth, confidence and normals side by side at the photo's shape; they are zoomed and
 * moved together, a cross marks the same pixel in all, and its values are told.
 */
export function DepthPanel() {
  const photo = useStudio(
    ({ project, selectedPhotos }) =>
      project?.photos.find(({ id }) => id === selectedPhotos.at(-1)) ?? project?.photos.find(({ placed }) => placed),
  );
  const revision = useStudio(({ project }) => project?.scene?.revision);
  const maps = useMaps(photo?.placed && revision !== undefined ? `maps/${photo.id}` : undefined, revision);
  if (!photo?.placed || revision === undefined) {
    return (
      <div className="panel">
        <Empty title={t('No depth map yet')}>
          <p>
            {photo?.placed === false
              ? (photo.reason ?? t('This photo could not be placed.'))
              : t('Depth maps belong to placed photos: start a run, then select one.')}
          </p>
        </Empty>
      </div>
    );
  }
  return maps ? (
    <Maps
      key={photo.id}
      photo={photo}
      maps={maps}
    />
  ) : (
    <div className="panel" />
  );
}

function Maps({ photo, maps }: { photo: PhotoInfo; maps: PhotoMaps }) {
  const scale = useStudio(({ project }) => project?.scene?.confidence);
  const [zoom, setZoom] = useState<Zoom>(whole);
  const [at, setAt] = useState<{ x: number; y: number }>();
  const [frame, size] = useSize();
  const { columns, width, height } = fitting(size, 4, maps.width / maps.height, ROOM);
  const zooming = useZooming(zoom, setZoom, setAt);
  const name = stem(photo.name);
  const drawn = (kind: 'depth' | 'confidence' | 'normals', title: string): ReactNode => (
    <MapCanvas
      maps={maps}
      kind={kind}
      scale={scale}
      label={t('{title} of {name}', { title, name })}
    />
  );
  const figures: readonly (readonly [string, ReactNode])[] = [
    [
      name,
      <PhotoCanvas
        photo={photo}
        maps={maps}
        label={t('Photo {name}', { name })}
      />,
    ],
    [t('Depth, near is bright'), drawn('depth', t('Depth'))],
    [t('Confidence, bright is sure'), drawn('confidence', t('Confidence'))],
    [t('Normals'), drawn('normals', t('Normals'))],
  ];
  return (
    <div className="panel depth">
      <div
        className="depth-maps"
        ref={frame}
        style={{ '--columns': columns, '--width': `${width}px` } as CSSProperties}
      >
        {figures.map(([title, picture], k) => (
          <figure key={k}>
            <MapWindow
              zoom={zoom}
              at={at}
              size={{ width, height }}
              zooming={zooming}
              label={t('{title}: plus and minus zoom, arrow keys move', { title })}
            >
              {picture}
            </MapWindow>
            <figcaption className="quiet truncate">{title}</figcaption>
          </figure>
        ))}
      </div>
      <footer className="depth-foot">
        <DepthValues
          photo={photo}
          maps={maps}
          at={at}
        />
        <ConfidenceLegend scale={scale} />
        {zoom.scale > 1 && (
          <Button
            icon="fit"
            onClick={() => setZoom(whole)}
          >
            {t('Whole')}
          </Button>
        )}
      </footer>
    </div>
  );
}

function MapWindow({
  zoom: { scale, left, top },
  at,
  size,
  zooming,
  label,
  children,
}: {
  zoom: Zoom;
  at: { x: number; y: number } | undefined;
  size: { width: number; height: number };
  zooming: ReturnType<typeof useZooming>;
  label: string;
  children: ReactNode;
}) {
  const percent = (fraction: number): string => `${fraction * 100}%`;
  return (
    <div
      className="depth-map"
      role="group"
      aria-label={label}
      tabIndex={0}
      style={size}
      {...zooming}
    >
      <div
        className={scale > 4 ? 'depth-picture pixels' : 'depth-picture'}
        style={{
          width: percent(scale),
          height: percent(scale),
          left: percent(-left * scale),
          top: percent(-top * scale),
        }}
      >
        {children}
      </div>
      {at && (
        <i
          className="cross"
          style={{ left: percent((at.x - left) * scale), top: percent((at.y - top) * scale) }}
        />
      )}
    </div>
  );
}

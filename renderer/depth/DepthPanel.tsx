import { useState } from 'react';
import { Empty } from '../design/controls.js';
import { lengthText, stem } from '../design/format.js';
import { useStudio } from '../store/studio.js';
import { api } from '../transport/index.js';
import './depth.css';
import { t } from '../words/index.js';

/**
 * The photo selected last, its depth map and its confidence, side by side; a cross marks the same pixel in all three.
 */
export function DepthPanel() {
  const photo = useStudio(
    ({ project, selectedPhotos }) =>
      project?.photos.find(({ id }) => id === selectedPhotos.at(-1)) ?? project?.photos.find(({ placed }) => placed),
  );
  const revision = useStudio(({ project }) => project?.scene?.revision);
  const [cross, setCross] = useState<{ x: number; y: number }>();
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
  const { id, name, depthRange } = photo;
  const maps = [
    { title: stem(name), source: api.binaryUrl(`photo/${id}`) },
    {
      title: depthRange
        ? t('Depth, {least} to {most}', { least: lengthText(depthRange[0]), most: lengthText(depthRange[1]) })
        : t('Depth'),
      source: `${api.binaryUrl(`depth/${id}`)}?${revision}`,
    },
    { title: t('Confidence'), source: `${api.binaryUrl(`confidence/${id}`)}?${revision}` },
  ];
  return (
    <div
      className="panel depth"
      onPointerLeave={() => setCross(undefined)}
    >
      {maps.map(({ title, source }) => (
        <figure key={title}>
          <div
            className="depth-map"
            onPointerMove={({ currentTarget, clientX, clientY }) => {
              const box = currentTarget.getBoundingClientRect();
              setCross({ x: ((clientX - box.left) / box.width) * 100, y: ((clientY - box.top) / box.height) * 100 });
            }}
          >
            <img
              src={source}
              alt={t('{title} of {name}', { title, name })}
              draggable={false}
            />
            {cross && (
              <i
                className="cross"
                style={{ left: `${cross.x}%`, top: `${cross.y}%` }}
              />
            )}
          </div>
          <figcaption className="quiet numeric">{title}</figcaption>
        </figure>
      ))}
    </div>
  );
}

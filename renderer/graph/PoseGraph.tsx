import { useMemo, useState } from 'react';
import type { PairInfo } from '../../electron/contract/api.js';
import { Empty } from '../design/controls.js';
import { shortNames, stem } from '../design/format.js';
import { useSize } from '../design/use-size.js';
import { choose } from '../store/selection.js';
import { setStudio, useStudio } from '../store/studio.js';
import { api } from '../transport/index.js';
import { layoutGraph, NODE, type Place } from './layout.js';
import { MatrixPanel } from './MatrixPanel.js';
import { pairLook, pairText, samePair } from './strength.js';
import './graph.css';

/** Beyond this many photos a drawing of nodes and lines is a ball of wool. */
export const MATRIX_FROM = 40;

/** Room for the line of words below, pixels. */
const NOTE = 44;

/** Photos as nodes where their cameras stand, pairs as lines coloured by how well they fit. */
export function PoseGraph() {
  const photos = useStudio(({ project }) => project?.photos) ?? [];
  if (photos.length > MATRIX_FROM) return <MatrixPanel />;
  return <Drawing />;
}

function Drawing() {
  const project = useStudio(({ project }) => project);
  const selected = useStudio(({ selectedPhotos }) => selectedPhotos);
  const pair = useStudio(({ selectedPair }) => selectedPair);
  const [frame, size] = useSize();
  const [hovered, setHovered] = useState<PairInfo>();
  const { photos = [], pairs = [], scene } = project ?? {};
  // Pairs come in one by one during a run; the places change only with photos, cameras and the room there is.
  const ids = photos.map(({ id }) => id).join();
  const pairKey = scene?.cameras.length ? scene.revision : pairs.length;
  const places = useMemo(
    () => layoutGraph(photos, pairs, scene?.cameras ?? [], { width: size.width, height: size.height - NOTE }),
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [ids, pairKey, size],
  );
  const name = (id: string): string => stem(photos.find((photo) => photo.id === id)?.name ?? id);
  if (photos.length < 2)
    return (
      <div className="panel">
        <Empty title="The pose graph">
          <p>Photos and the pairs between them appear here once there are two.</p>
        </Empty>
      </div>
    );
  const short = shortNames(photos.map(({ name: full }) => full));
  const explained = hovered ?? pairs.find((each) => samePair(each, pair));
  return (
    <div
      className="graph"
      ref={frame}
    >
      {size.width > 0 && (
        <svg
          width={size.width}
          height={size.height}
          viewBox={`${-size.width / 2} ${-(size.height - NOTE) / 2} ${size.width} ${size.height}`}
          role="group"
          aria-label="Pose graph"
        >
          {pairs.map((each) => {
            const [from, to] = [places.get(each.a), places.get(each.b)];
            if (!from || !to) return null;
            const { tone, width, dashed } = pairLook(each);
            const chosen = samePair(each, pair);
            const path = arc(from, to);
            return (
              <g
                key={`${each.a} ${each.b}`}
                className={`edge ${tone}${chosen ? ' chosen' : ''}`}
                onPointerEnter={() => setHovered(each)}
                onPointerLeave={() => setHovered(undefined)}
                onClick={() => {
                  setStudio({ selectedPair: [each.a, each.b] });
                }}
              >
                <path
                  d={path}
                  className="line"
                  strokeWidth={chosen ? width + 1.5 : width}
                  strokeDasharray={dashed ? '3 4' : undefined}
                />
                <path
                  d={path}
                  className="target"
                >
                  <title>{`${name(each.a)} – ${name(each.b)}: ${pairText(each)}`}</title>
                </path>
              </g>
            );
          })}
          {photos.map(({ id, name: full, enabled, placed }, k) => {
            const place = places.get(id);
            if (!place) return null;
            return (
              <g
                key={id}
                className={`node${selected.includes(id) ? ' chosen' : ''}${enabled ? '' : ' off'}${placed === false ? ' lost' : ''}`}
                transform={`translate(${place.x} ${place.y})`}
                tabIndex={0}
                role="button"
                aria-label={`Photo ${stem(full)}`}
                aria-pressed={selected.includes(id)}
                onClick={(event) => choose(id, event)}
                onKeyDown={(event) => {
                  if (event.key === 'Enter' || event.key === ' ') {
                    event.preventDefault();
                    choose(id, event);
                  }
                }}
              >
                <title>{full}</title>
                <image
                  href={api.binaryUrl(`thumbnail/${id}`)}
                  x={-NODE.width / 2}
                  y={-NODE.height / 2}
                  width={NODE.width}
                  height={NODE.height}
                  preserveAspectRatio="xMidYMid slice"
                />
                <rect
                  x={-NODE.width / 2}
                  y={-NODE.height / 2}
                  width={NODE.width}
                  height={NODE.height}
                  rx={3}
                />
                <text
                  y={NODE.height / 2 + 13}
                  textAnchor="middle"
                >
                  {short[k]!.slice(-10)}
                </text>
              </g>
            );
          })}
        </svg>
      )}
      <p className="graph-note">
        {explained
          ? `${name(explained.a)} – ${name(explained.b)}: ${pairText(explained)}`
          : pairs.length === 0
            ? 'The pairs appear when a run begins.'
            : `${pairs.filter(({ state }) => state === 'observed').length} of ${pairs.length} pairs computed. Click a line to see its pair.`}
      </p>
    </div>
  );
}

/** A slight bow, so that lines over a row of photos don't hide each other. */
function arc(from: Place, to: Place): string {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const bow = Math.min(0.28, 14 / Math.max(1, Math.hypot(dx, dy)) + 0.1);
  return `M${from.x} ${from.y}Q${(from.x + to.x) / 2 + dy * bow} ${(from.y + to.y) / 2 - dx * bow} ${to.x} ${to.y}`;
}

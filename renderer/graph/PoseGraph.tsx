import { useMemo, useState } from 'react';
import type { PairInfo, PhotoInfo } from '../../electron/contract/api.js';
import { Empty } from '../design/controls.js';
import { stem } from '../design/format.js';
import { useSize, type Size } from '../design/use-size.js';
import { useStudio } from '../store/studio.js';
import { t } from '../words/index.js';
import { Crowd } from './Crowd.js';
import { Drawing } from './Drawing.js';
import { layoutGraph, nodeLook, type NodeLook, type Place } from './layout.js';
import { pairLook, pairText, samePair } from './strength.js';
import './graph.css';

/** Room for the line of words below, pixels. */
const NOTE = 30;
const NO_PHOTOS: readonly PhotoInfo[] = [];
const NO_PAIRS: readonly PairInfo[] = [];

/** What both ways to draw the graph are given. */
export interface GraphProps {
  photos: readonly PhotoInfo[];
  pairs: readonly PairInfo[];
  places: ReadonlyMap<string, Place>;
  look: NodeLook;
  size: Size;
  /** Said to a screen reader in the place of the drawing. */
  summary: string;
  onHover: (pair: PairInfo | undefined) => void;
}

/**
 * Photos as nodes where their cameras stand, pairs as lines coloured by how well they fit. Pictures while there is
 * room for them and the lines; dots, which can be zoomed, beyond.
 */
export function PoseGraph() {
  const photos = useStudio(({ project }) => project?.photos ?? NO_PHOTOS);
  const pairs = useStudio(({ project }) => project?.pairs ?? NO_PAIRS);
  const scene = useStudio(({ project }) => project?.scene);
  const chosen = useStudio(({ selectedPair }) => selectedPair);
  const [frame, whole] = useSize();
  const [hovered, setHovered] = useState<PairInfo>();
  const size = useMemo(() => ({ width: whole.width, height: Math.max(0, whole.height - NOTE) }), [whole]);
  const look = nodeLook(photos.length, size);
  // Pairs come in one by one during a run; the places change only with photos, cameras and the room there is.
  const ids = photos.map(({ id }) => id).join();
  const pairKey = scene?.cameras.length ? scene.revision : pairs.length;
  const places = useMemo(
    () => (size.width > 0 ? layoutGraph(photos, pairs, scene?.cameras ?? [], size, look) : new Map<string, Place>()),
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [ids, pairKey, size, look],
  );
  const summary = useMemo(() => summaryOf(photos, pairs), [photos, pairs]);
  if (photos.length < 2)
    return (
      <Empty title={t('The pose graph')}>
        <p>{t('Photos and the pairs between them appear here once there are two.')}</p>
      </Empty>
    );
  const name = (id: string): string => stem(photos.find((photo) => photo.id === id)?.name ?? id);
  const explained = hovered ?? pairs.find((each) => samePair(each, chosen));
  const Graph = look.dot ? Crowd : Drawing;
  return (
    <div
      className="graph"
      ref={frame}
    >
      {size.width > 0 && (
        <Graph
          photos={photos}
          pairs={pairs}
          places={places}
          look={look}
          size={size}
          summary={summary}
          onHover={setHovered}
        />
      )}
      <p className="graph-note truncate">
        {explained
          ? `${name(explained.a)} – ${name(explained.b)}: ${pairText(explained, scene?.confidence)}`
          : noteOf(pairs)}
      </p>
    </div>
  );
}

function noteOf(pairs: readonly PairInfo[]): string {
  if (pairs.length === 0) return t('The pairs appear when a run begins.');
  const used = pairs.filter(({ state }) => state === 'observed').length;
  return t('{used} of {all} pairs see the same place. Click a line to see its pair.', { used, all: pairs.length });
}

/** The graph in one sentence. */
function summaryOf(photos: readonly PhotoInfo[], pairs: readonly PairInfo[]): string {
  const counts = { good: 0, fair: 0, bad: 0, none: 0 };
  for (const pair of pairs) counts[pairLook(pair).tone]++;
  return t('Pose graph of {photos} photos: {good} pairs fit well, {fair} fit, {bad} contradict.', {
    photos: photos.length,
    good: counts.good,
    fair: counts.fair,
    bad: counts.bad,
  });
}

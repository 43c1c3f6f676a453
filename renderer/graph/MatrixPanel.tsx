import { useEffect, useMemo, useRef, useState, type KeyboardEvent, type MouseEvent } from 'react';
import type { PairInfo, PhotoInfo } from '../../electron/contract/api.js';
import { openMenu } from '../commands/menu.js';
import { Button, Empty } from '../design/controls.js';
import { shortNames, stem } from '../design/format.js';
import { useSize } from '../design/use-size.js';
import { setStudio, useStudio } from '../store/studio.js';
import { t } from '../words/index.js';
import { drawMatrix, MARGIN, type Cell } from './draw-matrix.js';
import { pairText, samePair } from './strength.js';
import './graph.css';

// One empty list each, so that nothing is computed anew for another one.
const NO_PHOTOS: readonly PhotoInfo[] = [];
const NO_PAIRS: readonly PairInfo[] = [];
/** Sides of a square, pixels. */
const CELLS = [4, 6, 9, 14, 20, 28];

/**
 * Every photo against every other, one square a pair, with their names. It scrolls and zooms; only what is in sight is
 * drawn, however many photos there are.
 */
export function MatrixPanel() {
  const photos = useStudio(({ project }) => project?.photos ?? NO_PHOTOS);
  if (photos.length < 2)
    return (
      <Empty title={t('The pair matrix')}>
        <p>{t('One square for every two photos; they appear here once there are two.')}</p>
      </Empty>
    );
  return <Matrix photos={photos} />;
}

function Matrix({ photos }: { photos: readonly PhotoInfo[] }) {
  const pairs = useStudio(({ project }) => project?.pairs ?? NO_PAIRS);
  const chosen = useStudio(({ selectedPair }) => selectedPair);
  const scale = useStudio(({ project }) => project?.scene?.confidence);
  const [zoom, setZoom] = useState(() => (photos.length <= 30 ? 4 : 2));
  const [cell, setCell] = useState<Cell>({ row: 0, column: 1 });
  const [hovered, setHovered] = useState<Cell>();
  const at = usePairTable(photos, pairs);
  const pairAt = ({ row, column }: Cell): PairInfo | undefined => at.get(row * photos.length + column);
  const choose = (next: Cell): void => {
    setCell(next);
    const pair = pairAt(next);
    if (pair) setStudio({ selectedPair: [pair.a, pair.b] });
  };
  const shown = hovered ?? cell;
  const explained = pairAt(shown);
  const name = (k: number): string => stem(photos[k]?.name ?? '');
  const words = `${name(shown.row)} – ${name(shown.column)}: ${explained ? pairText(explained, scale) : t('no pair')}`;
  return (
    <div className="matrix">
      <MatrixView
        photos={photos}
        at={at}
        side={CELLS[zoom]!}
        cell={cell}
        words={words}
        onChoose={choose}
        onHover={setHovered}
        onZoom={(by) => setZoom((now) => Math.min(CELLS.length - 1, Math.max(0, now + by)))}
        onMenu={(event, next) => {
          choose(next);
          if (pairAt(next)) openMenu(event, ['pair.toggle', 'run.realign']);
        }}
      />
      <div className="matrix-note">
        <div className="row">
          <Button onClick={() => setZoom(Math.max(0, zoom - 1))}>{t('Smaller squares')}</Button>
          <Button onClick={() => setZoom(Math.min(CELLS.length - 1, zoom + 1))}>{t('Larger squares')}</Button>
        </div>
        <p aria-live="polite">{words}</p>
        {chosen && !pairs.some((pair) => samePair(pair, chosen)) && <p>{t('That pair is not planned.')}</p>}
        <Legend />
      </div>
    </div>
  );
}

function Legend() {
  return (
    <ul className="legend">
      {(
        [
          ['good', t('fits well')],
          ['fair', t('fits')],
          ['bad', t('contradicts')],
          ['none', t('nothing in common, or off')],
        ] as const
      ).map(([tone, words]) => (
        <li key={tone}>
          <i className={tone} />
          {words}
        </li>
      ))}
    </ul>
  );
}

/** Pairs by row and column. */
function usePairTable(photos: readonly PhotoInfo[], pairs: readonly PairInfo[]): ReadonlyMap<number, PairInfo> {
  const ids = photos.map(({ id }) => id).join();
  const index = useMemo(() => new Map(ids.split(',').map((id, k) => [id, k])), [ids]);
  return useMemo(() => {
    const table = new Map<number, PairInfo>();
    for (const pair of pairs) {
      const [a, b] = [index.get(pair.a), index.get(pair.b)];
      if (a === undefined || b === undefined) continue;
      table.set(a * index.size + b, pair).set(b * index.size + a, pair);
    }
    return table;
  }, [pairs, index]);
}

interface MatrixViewProps {
  photos: readonly PhotoInfo[];
  at: ReadonlyMap<number, PairInfo>;
  /** Of a square, pixels. */
  side: number;
  cell: Cell;
  words: string;
  onChoose: (cell: Cell) => void;
  onHover: (cell: Cell | undefined) => void;
  onZoom: (by: number) => void;
  onMenu: (event: MouseEvent, cell: Cell) => void;
}

function MatrixView({ photos, at, side, cell, words, onChoose, onHover, onZoom, onMenu }: MatrixViewProps) {
  const chosen = useStudio(({ selectedPair }) => selectedPair);
  const theme = useStudio(({ theme }) => theme);
  const [frame, size] = useSize();
  const scroller = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [scroll, setScroll] = useState({ x: 0, y: 0 });
  const names = useMemo(() => shortNames(photos.map(({ name }) => name)), [photos]);
  const whole = photos.length * side + MARGIN;
  useEffect(() => {
    if (size.width === 0) return;
    const wanted = requestAnimationFrame(() =>
      drawMatrix(canvas.current!, { count: photos.length, names, at, side, size, scroll, cell, chosen }),
    );
    return () => cancelAnimationFrame(wanted);
  }, [photos.length, names, at, side, size, scroll, cell, chosen, theme]);
  // The square that the keys have reached is in sight.
  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const inSight = (offset: number, room: number, index: number): number => {
      const [from, to] = [index * side, (index + 1) * side];
      if (from < offset) return from;
      return to > offset + room - MARGIN ? to - room + MARGIN : offset;
    };
    element.scrollTo(
      inSight(element.scrollLeft, element.clientWidth, cell.column),
      inSight(element.scrollTop, element.clientHeight, cell.row),
    );
  }, [cell, side]);
  const under = (event: MouseEvent): Cell | undefined => {
    const box = canvas.current!.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left - MARGIN + scroll.x) / side);
    const row = Math.floor((event.clientY - box.top - MARGIN + scroll.y) / side);
    const inside = row >= 0 && column >= 0 && row < photos.length && column < photos.length && row !== column;
    return inside ? { row, column } : undefined;
  };
  const press = (event: KeyboardEvent): void => {
    const next = cellAfter(event.key, cell, photos.length);
    if (next) onChoose(next);
    else if (event.key === '+' || event.key === '-') onZoom(event.key === '+' ? 1 : -1);
    else return;
    event.preventDefault();
  };
  return (
    <div
      className="matrix-frame"
      ref={frame}
    >
      <div
        className="matrix-scroll"
        ref={scroller}
        tabIndex={0}
        role="img"
        aria-label={`${t('Matrix of {pairs} pairs between {photos} photos', { pairs: at.size / 2, photos: photos.length })}; ${words}`}
        onKeyDown={press}
        onScroll={({ currentTarget: { scrollLeft, scrollTop } }) => setScroll({ x: scrollLeft, y: scrollTop })}
        onWheel={(event) => {
          if (event.ctrlKey) onZoom(event.deltaY < 0 ? 1 : -1);
        }}
        onPointerMove={(event) => onHover(under(event))}
        onPointerLeave={() => onHover(undefined)}
        onClick={(event) => {
          const next = under(event);
          if (next) onChoose(next);
        }}
        onContextMenu={(event) => {
          const next = under(event);
          if (next) onMenu(event, next);
        }}
      >
        <div style={{ width: whole, height: whole }}>
          <canvas ref={canvas} />
        </div>
      </div>
    </div>
  );
}

/** By row and column; a photo against itself is stepped over. */
export function cellAfter(key: string, { row, column }: Cell, count: number): Cell | undefined {
  const steps: Record<string, readonly [number, number]> = {
    ArrowUp: [-1, 0],
    ArrowDown: [1, 0],
    ArrowLeft: [0, -1],
    ArrowRight: [0, 1],
  };
  const step = steps[key];
  if (!step) return undefined;
  let next = { row: row + step[0], column: column + step[1] };
  if (next.row === next.column) next = { row: next.row + step[0], column: next.column + step[1] };
  const inside = Math.min(next.row, next.column) >= 0 && Math.max(next.row, next.column) < count;
  return inside ? next : { row, column };
}

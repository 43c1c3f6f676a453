import { useEffect, useMemo, useRef, useState, type KeyboardEvent, type MouseEvent } from 'react';
import type { PairInfo, PhotoInfo } from '../../electron/contract/api.js';
import { Empty } from '../design/controls.js';
import { stem } from '../design/format.js';
import { setStudio, useStudio } from '../store/studio.js';
import { pairLook, pairText, samePair } from './strength.js';
import './graph.css';

// One empty list each, so that nothing is computed anew for another one.
const NO_PHOTOS: readonly PhotoInfo[] = [];
const NO_PAIRS: readonly PairInfo[] = [];

/**
 * Every photo against every other, one square a pair: for more photos than a graph can show. One canvas, however many.
 */
export function MatrixPanel() {
  const photos = useStudio(({ project }) => project?.photos ?? NO_PHOTOS);
  const pairs = useStudio(({ project }) => project?.pairs ?? NO_PAIRS);
  const chosen = useStudio(({ selectedPair }) => selectedPair);
  const theme = useStudio(({ theme }) => theme);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [hovered, setHovered] = useState<PairInfo>();
  const cell = Math.max(5, Math.min(22, Math.floor(520 / Math.max(1, photos.length))));
  const index = useMemo(() => new Map(photos.map(({ id }, k) => [id, k])), [photos]);
  const at = useMemo(() => {
    const table = new Map<number, PairInfo>();
    for (const pair of pairs) {
      const [a, b] = [index.get(pair.a), index.get(pair.b)];
      if (a === undefined || b === undefined) continue;
      table.set(a * photos.length + b, pair).set(b * photos.length + a, pair);
    }
    return table;
  }, [pairs, index, photos.length]);

  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (!element || !context) return;
    const ratio = devicePixelRatio;
    const side = photos.length * cell;
    element.width = element.height = side * ratio;
    context.scale(ratio, ratio);
    // Of the page: a panel behind another one is not part of it, and has no style of its own.
    const style = getComputedStyle(document.documentElement);
    const colours = {
      good: style.getPropertyValue('--good'),
      fair: style.getPropertyValue('--fair'),
      bad: style.getPropertyValue('--bad'),
      none: style.getPropertyValue('--line-strong'),
    };
    context.fillStyle = style.getPropertyValue('--raised');
    context.fillRect(0, 0, side, side);
    for (const [place, pair] of at) {
      const [row, column] = [Math.floor(place / photos.length), place % photos.length];
      context.fillStyle = colours[pairLook(pair).tone];
      context.globalAlpha = pair.state === 'observed' && pair.enabled ? 1 : 0.45;
      context.fillRect(column * cell, row * cell, cell - 1, cell - 1);
      if (!samePair(pair, chosen)) continue;
      context.globalAlpha = 1;
      context.strokeStyle = style.getPropertyValue('--accent');
      context.lineWidth = 2;
      context.strokeRect(column * cell - 1, row * cell - 1, cell + 1, cell + 1);
    }
  }, [at, cell, chosen, photos.length, theme]);

  const under = (event: MouseEvent): PairInfo | undefined => {
    const box = canvas.current!.getBoundingClientRect();
    return at.get(
      Math.floor((event.clientY - box.top) / cell) * photos.length + Math.floor((event.clientX - box.left) / cell),
    );
  };
  const choose = (pair: PairInfo | undefined): void => {
    if (!pair) return;
    setStudio({ selectedPair: [pair.a, pair.b] });
  };
  // With the arrow keys from pair to pair, in the order of the table.
  const press = (event: KeyboardEvent): void => {
    const step = ['ArrowRight', 'ArrowDown'].includes(event.key)
      ? 1
      : ['ArrowLeft', 'ArrowUp'].includes(event.key)
        ? -1
        : 0;
    if (step === 0 || pairs.length === 0) return;
    event.preventDefault();
    const now = pairs.findIndex((pair) => samePair(pair, chosen));
    const next = pairs[(now + step + pairs.length) % pairs.length]!;
    setStudio({ selectedPair: [next.a, next.b] });
  };
  if (photos.length < 2)
    return (
      <div className="panel">
        <Empty title="The pair matrix">
          <p>One square for every two photos; they appear here once there are two.</p>
        </Empty>
      </div>
    );
  const name = (id: string): string => stem(photos[index.get(id)!]?.name ?? id);
  const explained = hovered ?? pairs.find((pair) => samePair(pair, chosen));
  return (
    <div className="panel matrix">
      <canvas
        ref={canvas}
        style={{ width: photos.length * cell, height: photos.length * cell }}
        tabIndex={0}
        role="img"
        aria-label={`Matrix of ${pairs.length} pairs between ${photos.length} photos${explained ? `; ${name(explained.a)} and ${name(explained.b)}: ${pairText(explained)}` : ''}`}
        onPointerMove={(event) => setHovered(under(event))}
        onPointerLeave={() => setHovered(undefined)}
        onClick={(event) => choose(under(event))}
        onKeyDown={press}
      />
      <div className="matrix-note">
        <p aria-live="polite">
          {explained ? (
            <>
              <strong>
                {name(explained.a)} – {name(explained.b)}
              </strong>
              <br />
              {pairText(explained)}
            </>
          ) : (
            'Point at a square to see its pair.'
          )}
        </p>
        <ul className="legend">
          <li>
            <i className="good" />
            fits well
          </li>
          <li>
            <i className="fair" />
            fits
          </li>
          <li>
            <i className="bad" />
            contradicts
          </li>
          <li>
            <i className="none" />
            nothing in common, or off
          </li>
        </ul>
      </div>
    </div>
  );
}

import { memo, type KeyboardEvent } from 'react';
import type { PairInfo } from '../../electron/contract/api.js';
import { openMenu } from '../commands/menu.js';
import { shortNames, stem } from '../design/format.js';
import { photoMenu } from '../photos/photo-menu.js';
import { choose } from '../store/selection.js';
import { setStudio, useStudio } from '../store/studio.js';
import { api } from '../transport/index.js';
import { t } from '../words/index.js';
import type { NodeLook, Place } from './layout.js';
import type { GraphProps } from './PoseGraph.js';
import { pairLook, pairText, samePair } from './strength.js';

/** The part of a line that is clicked, from its beginning: near its ends the pictures are meant. */
const CLICKED = { from: 0.2, to: 0.8 };

const choosePair = ({ a, b }: PairInfo): void => setStudio({ selectedPair: [a, b] });

/** Pictures and lines. What is clicked of a line lies above the pictures; what is seen of it lies below. */
export function Drawing({ photos, pairs, places, look, size, summary, onHover }: GraphProps) {
  const chosen = useStudio(({ selectedPair }) => selectedPair);
  const scale = useStudio(({ project }) => project?.scene?.confidence);
  const names = new Map(photos.map(({ id, name }) => [id, stem(name)]));
  const drawn = pairs
    .filter(({ a, b }) => places.has(a) && places.has(b))
    .map((pair) => ({ pair, from: places.get(pair.a)!, to: places.get(pair.b)! }));
  // Pairs that are used lie over those that are not.
  const used = drawn.filter(({ pair }) => pairLook(pair).tone !== 'none');
  const ordered = [...drawn.filter((each) => !used.includes(each)), ...used];
  const press = (event: KeyboardEvent, index: number): void => {
    const step: Record<string, number> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
    if (event.key === 'Enter' || event.key === ' ') choosePair(used[index]!.pair);
    else if (step[event.key] !== undefined) {
      const next = (index + step[event.key]! + used.length) % used.length;
      choosePair(used[next]!.pair);
      event.currentTarget.parentElement?.querySelectorAll<SVGElement>('.target[tabindex]')[next]?.focus();
    } else return;
    event.preventDefault();
  };
  const reachable = Math.max(
    0,
    used.findIndex(({ pair }) => samePair(pair, chosen)),
  );
  return (
    <svg
      width={size.width}
      height={size.height}
      viewBox={`${-size.width / 2} ${-size.height / 2} ${size.width} ${size.height}`}
      role="group"
      aria-label={summary}
    >
      {ordered.map(({ pair, from, to }) => (
        <Line
          key={`${pair.a} ${pair.b}`}
          pair={pair}
          from={from}
          to={to}
          chosen={samePair(pair, chosen)}
        />
      ))}
      <Nodes
        photos={photos}
        places={places}
        look={look}
      />
      {drawn
        .filter((each) => !used.includes(each))
        .map(({ pair, from, to }) => (
          <path
            key={`${pair.a} ${pair.b}`}
            d={arc(from, to, CLICKED)}
            className="target unused"
            onPointerEnter={() => onHover(pair)}
            onPointerLeave={() => onHover(undefined)}
            onClick={() => choosePair(pair)}
          />
        ))}
      <g>
        {used.map(({ pair, from, to }, k) => (
          <path
            key={`${pair.a} ${pair.b}`}
            d={arc(from, to, CLICKED)}
            className={`target ${pairLook(pair).tone}`}
            tabIndex={k === reachable ? 0 : -1}
            role="button"
            aria-pressed={samePair(pair, chosen)}
            aria-label={`${t('{a} and {b}', { a: names.get(pair.a)!, b: names.get(pair.b)! })}: ${pairText(pair, scale)}`}
            onPointerEnter={() => onHover(pair)}
            onPointerLeave={() => onHover(undefined)}
            onFocus={() => onHover(pair)}
            onBlur={() => onHover(undefined)}
            onKeyDown={(event) => press(event, k)}
            onClick={() => choosePair(pair)}
            onContextMenu={(event) => {
              choosePair(pair);
              openMenu(event, ['pair.toggle', 'run.realign']);
            }}
          />
        ))}
      </g>
    </svg>
  );
}

const Line = memo(function Line({
  pair,
  from,
  to,
  chosen,
}: {
  pair: PairInfo;
  from: Place;
  to: Place;
  chosen: boolean;
}) {
  const { tone, width, dashed } = pairLook(pair);
  return (
    <path
      d={arc(from, to)}
      className={`line ${tone}${chosen ? ' chosen' : ''}`}
      strokeWidth={chosen ? width + 1.5 : width}
      strokeDasharray={dashed ? '3 4' : undefined}
    />
  );
});

function Nodes({ photos, places, look }: Pick<GraphProps, 'photos' | 'places' | 'look'>) {
  const selected = useStudio(({ selectedPhotos }) => selectedPhotos);
  const short = shortNames(photos.map(({ name }) => name));
  return photos.map(({ id, name, enabled, placed }, k) => {
    const place = places.get(id);
    if (!place) return null;
    const looks = [selected.includes(id) && 'chosen', !enabled && 'off', placed === false && 'lost'].filter(Boolean);
    return (
      <g
        key={id}
        className={['node', ...looks].join(' ')}
        transform={`translate(${place.x} ${place.y})`}
        tabIndex={0}
        role="button"
        aria-label={t('Photo {name}', { name: stem(name) })}
        aria-pressed={selected.includes(id)}
        onClick={(event) => choose(id, event)}
        onContextMenu={(event) => {
          if (!selected.includes(id)) choose(id, {});
          openMenu(event, photoMenu);
        }}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' && event.key !== ' ') return;
          event.preventDefault();
          choose(id, event);
        }}
      >
        <title>{name}</title>
        <NodePicture
          id={id}
          look={look}
        />
        {look.label > 0 && (
          <text
            y={look.height / 2 + 5}
            textAnchor="middle"
          >
            {short[k]!.slice(-10)}
          </text>
        )}
      </g>
    );
  });
}

function NodePicture({ id, look: { width, height, label } }: { id: string; look: NodeLook }) {
  // Picture and name together stand in the middle of the node's place.
  const box = { x: -width / 2, y: -height / 2 - label / 2, width, height };
  return (
    <>
      <image
        href={api.binaryUrl(`thumbnail/${id}`)}
        {...box}
        preserveAspectRatio="xMidYMid slice"
      />
      <rect
        {...box}
        rx={3}
      />
    </>
  );
}

/** A slight bow, so that lines over a row of photos don't hide each other; all of it, or a part from its beginning. */
function arc(from: Place, to: Place, part = { from: 0, to: 1 }): string {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const bow = Math.min(0.28, 14 / Math.max(1, Math.hypot(dx, dy)) + 0.1);
  const middle = { x: (from.x + to.x) / 2 + dy * bow, y: (from.y + to.y) / 2 - dx * bow };
  // The control point of the part of a quadratic curve between two of its parameters (blossom).
  const at = (s: number, u: number): Place => ({
    x: blossom(from.x, middle.x, to.x, s, u),
    y: blossom(from.y, middle.y, to.y, s, u),
  });
  const [start, control, end] = [at(part.from, part.from), at(part.from, part.to), at(part.to, part.to)];
  return `M${start.x} ${start.y}Q${control.x} ${control.y} ${end.x} ${end.y}`;
}

const blossom = (a: number, b: number, c: number, s: number, u: number): number =>
  a * (1 - s) * (1 - u) + b * (s * (1 - u) + u * (1 - s)) + c * s * u;

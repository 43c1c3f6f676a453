import { useEffect, useRef, useState, type KeyboardEvent, type PointerEvent } from 'react';
import { Matrix4, Quaternion, Vector3 } from 'three';
import type { Vector } from '../../electron/contract/scene.js';
import { t } from '../words/index.js';
import type { Frames, Projector } from './projector.js';
import { fixedText } from '../design/format.js';

const CORNERS = 72;
const AXES = [new Vector3(1, 0, 0), new Vector3(0, 1, 0), new Vector3(0, 0, 1)] as const;
const KEYS: Readonly<Record<string, number>> = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1 };
/** Milliseconds after the last key that the turn is stored. */
const KEYS_REST = 700;

/** A turn that is being made: the axis of the scene frame, and how far about it. */
interface Turn {
  axis: number;
  radians: number;
}

const quaternionOf = ({ axis, radians }: Turn): Quaternion => new Quaternion().setFromAxisAngle(AXES[axis]!, radians);

/**
 * Three rings about the axes of the scene frame: dragging one turns the scene under the grid. The scene follows at
 * once; the turn is stored when the hand lets go.
 */
export function LevelRings({
  centre,
  radius,
  frames,
  onDraft,
  onTurn,
}: {
  /** Scene frame. */
  centre: Vector;
  radius: number;
  frames: Frames;
  onDraft: (turn: Quaternion) => void;
  /** newScene-from-scene, row-major 3x3. */
  onTurn: (rotation: number[]) => void;
}) {
  const paths = useRef<(SVGPathElement | null)[]>([]);
  const [turn, setTurn] = useState<Turn>();
  const held = useRef<{ at: readonly [number, number]; tangent: readonly [number, number]; axis: number }>(undefined);
  const resting = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(
    () =>
      frames.follow((projector) => {
        AXES.forEach((_, axis) => {
          const points = ringOf(projector, centre, radius, axis);
          const d = points ? `M${points.map((at) => at.map((value) => value.toFixed(1)).join()).join('L')}Z` : '';
          paths.current[axis]?.setAttribute('d', d);
          paths.current[3 + axis]?.setAttribute('d', d);
        });
      }),
    [centre, radius, frames],
  );
  const place = (event: PointerEvent<SVGElement>): readonly [number, number] => {
    const box = event.currentTarget.ownerSVGElement!.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const down = (event: PointerEvent<SVGElement>, axis: number): void => {
    const points = frames.last && ringOf(frames.last, centre, radius, axis);
    if (event.button !== 0 || !points) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const at = place(event);
    held.current = { at, axis, tangent: tangentNear(points, at) };
  };
  const move = (event: PointerEvent<SVGElement>): void => {
    if (!held.current) return;
    const { at, tangent, axis } = held.current;
    const [x, y] = place(event);
    // As far as the ring's own point would move with the pointer.
    const radians =
      ((x - at[0]) * tangent[0] + (y - at[1]) * tangent[1]) / Math.max(1, tangent[0] ** 2 + tangent[1] ** 2);
    setTurn({ axis, radians });
    onDraft(quaternionOf({ axis, radians }));
  };
  const store = (made: Turn | undefined): void => {
    held.current = undefined;
    setTurn(undefined);
    if (made) onTurn(rowsOf(quaternionOf(made)));
  };
  const press = (event: KeyboardEvent, axis: number): void => {
    const step = KEYS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const before = turn?.axis === axis ? turn.radians : 0;
    const next = { axis, radians: before + (step * (event.shiftKey ? 0.1 : 1) * Math.PI) / 180 };
    setTurn(next);
    onDraft(quaternionOf(next));
    clearTimeout(resting.current);
    resting.current = setTimeout(() => store(next), KEYS_REST);
  };
  const names = [t('Tilt forwards and back'), t('Tilt to the sides'), t('Turn about up')];
  return (
    <>
      <svg className="level-rings">
        {AXES.map((_, axis) => (
          <g
            key={axis}
            className={`ring axis-${axis}`}
          >
            <path
              ref={(path) => {
                paths.current[axis] = path;
              }}
            />
            <path
              className="grip"
              ref={(path) => {
                paths.current[3 + axis] = path;
              }}
              role="slider"
              tabIndex={0}
              aria-label={names[axis]}
              aria-valuenow={turn?.axis === axis ? Math.round(degrees(turn) * 10) / 10 : 0}
              onPointerDown={(event) => down(event, axis)}
              onPointerMove={move}
              onPointerUp={() => store(turn)}
              onKeyDown={(event) => press(event, axis)}
            />
          </g>
        ))}
      </svg>
      {turn && <p className="turn-angle numeric">{`${fixedText(degrees(turn), 1)}°`}</p>}
    </>
  );
}

const degrees = ({ radians }: Turn): number => (radians * 180) / Math.PI;

function rowsOf(turn: Quaternion): number[] {
  const m = new Matrix4().makeRotationFromQuaternion(turn).elements;
  return [m[0], m[4], m[8], m[1], m[5], m[9], m[2], m[6], m[10]] as number[];
}

/** A circle about an axis on the screen, by equal angles; undefined when some of it is behind the eye. */
function ringOf(
  projector: Projector,
  centre: Vector,
  radius: number,
  axis: number,
): (readonly [number, number])[] | undefined {
  const [first, second] = [AXES[(axis + 1) % 3]!, AXES[(axis + 2) % 3]!];
  const points: (readonly [number, number])[] = [];
  for (let k = 0; k < CORNERS; k++) {
    const angle = (2 * Math.PI * k) / CORNERS;
    const point = new Vector3(...centre)
      .addScaledVector(first, radius * Math.cos(angle))
      .addScaledVector(second, radius * Math.sin(angle));
    const at = projector.toScreen(point);
    if (!at) return undefined;
    points.push(at);
  }
  return points;
}

/** Pixels a radian that the ring's point nearest to a place moves when the ring turns. */
function tangentNear(
  points: readonly (readonly [number, number])[],
  [x, y]: readonly [number, number],
): readonly [number, number] {
  const distance = ([u, v]: readonly [number, number]): number => Math.hypot(u - x, v - y);
  const nearest = points.reduce((best, at, k) => (distance(at) < distance(points[best]!) ? k : best), 0);
  const before = points[(nearest + CORNERS - 1) % CORNERS]!;
  const after = points[(nearest + 1) % CORNERS]!;
  const step = (4 * Math.PI) / CORNERS;
  return [(after[0] - before[0]) / step, (after[1] - before[1]) / step];
}

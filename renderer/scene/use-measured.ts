import { useEffect, useMemo } from 'react';
import type { Measurement, ScenePixel, Vector } from '../../electron/contract/scene.js';
import { setStudio, studio, useStudio } from '../store/studio.js';
import { api } from '../transport/index.js';
import type { SceneLine } from '../viewer/SceneLines.js';
import { valueText } from './value-text.js';

/**
 * Keeps the store's values of all measurements, and where the picked points are: asked for again whenever the cloud or
 * its frame has changed. Mounted once, with the view.
 */
export function useMeasured(): { lines: readonly SceneLine[]; places: readonly (Vector | undefined)[] } {
  const measurements = useStudio(({ project }) => project?.document.measurements);
  const scene = useStudio(({ project }) => (project?.scene?.partial ? undefined : project?.scene));
  const picks = useStudio(({ picks }) => picks);
  const mark = useStudio(({ mark }) => mark);
  const measured = useStudio(({ measured }) => measured);
  const frame = scene?.frames[0];
  const world = frame && `${scene.revision} ${frame.matrix.join()}`;
  const wanted = useMemo(
    (): readonly Pick<Measurement, 'kind' | 'points'>[] => [
      ...(measurements ?? []),
      ...picks.map(pointAt),
      ...(mark.length > 0 ? [pointAt(markPixel(mark))] : []),
    ],
    [measurements, picks, mark],
  );
  useEffect(() => {
    if (world === undefined) return;
    let current = true;
    void (async () => {
      // Of another frame or cloud: none of it holds.
      const known = studio().measuredIn === world ? studio().measured : new Map<string, Measured>();
      const values = new Map<string, Measured>();
      for (const each of wanted) {
        const key = keyOf(each);
        const value =
          known.get(key) ??
          (await api
            .request('scene.measure', { kind: each.kind, points: [...each.points] })
            .catch(({ message }: Error): Measured => ({ error: message })));
        if (!current) return;
        values.set(key, value);
      }
      setStudio({ measured: values, measuredIn: world });
    })();
    return () => {
      current = false;
    };
  }, [world, wanted]);
  return useMemo(() => {
    if (!frame) return { lines: [], places: [] };
    const value = (each: Pick<Measurement, 'kind' | 'points'>): Measured | undefined => measured.get(keyOf(each));
    const lines = (measurements ?? []).flatMap((each): SceneLine[] => {
      const found = value(each as Measurement);
      if (!found || 'error' in found) return [];
      return [
        {
          id: each.id,
          points: each.kind === 'height' ? plumb(found.positions) : found.positions,
          closed: each.kind === 'area',
          text: valueText(each.kind, found, frame),
        },
      ];
    });
    const places = [...picks, ...(mark.length > 0 ? [markPixel(mark)] : [])].map((pixel) => {
      const found = value(pointAt(pixel));
      return found && 'positions' in found ? found.positions[0] : undefined;
    });
    return { lines, places };
  }, [measurements, measured, picks, mark, frame]);
}

export type Measured = ReturnType<typeof studio>['measured'] extends ReadonlyMap<string, infer Value> ? Value : never;

const pointAt = (pixel: ScenePixel): Pick<Measurement, 'kind' | 'points'> => ({ kind: 'point', points: [pixel] });

/** A measurement's value depends on nothing else, in one frame. */
export const keyOf = ({ kind, points }: Pick<Measurement, 'kind' | 'points'>): string => JSON.stringify([kind, points]);

/** A point marked in several photos, as the contract names it. */
export function markPixel([first, ...others]: readonly { photo: string; x: number; y: number }[]): ScenePixel {
  return { ...first!, ...(others.length > 0 ? { others: [...others] } : {}) };
}

/** A difference in height is drawn as the way up, then across. */
function plumb(positions: readonly Vector[]): Vector[] {
  const [a, b] = positions;
  return a && b ? [a, [a[0], a[1], b[2]], b] : [...positions];
}

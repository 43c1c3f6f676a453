import { multiply3, transpose3 } from '../numerics/linear.js';
import { times3, transposedTimes3 } from '../numerics/vector.js';
import type { PlacedCamera } from './bundle.js';

/** Camera from world: x = rotation X + translation. */
export type Posed = Pick<PlacedCamera, 'rotation' | 'translation'>;

/** Where a camera stands in the world. */
export const centreOf = ({
  rotation,
  translation,
}: Record<'rotation' | 'translation', ArrayLike<number>>): [number, number, number] => {
  const [x, y, z] = transposedTimes3(rotation, translation);
  return [-x, -y, -z];
};

/** Camera b from camera a. */
export function fromTo(a: Posed, b: Posed): { rotation: Float64Array; translation: number[] } {
  const rotation = multiply3(b.rotation, transpose3(a.rotation));
  const turned = times3(rotation, a.translation);
  return { rotation, translation: [0, 1, 2].map((i) => b.translation[i]! - turned[i]!) };
}

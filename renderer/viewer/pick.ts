import { Matrix4, Vector3, type Camera } from 'three';

/**
 * The sampled point that a person means by a place on the screen: of those within a few pixels, the nearest to the eye.
 * @param sample [S, 3] world; points below `minConfidence` are not seen and not picked
 * @param x, y from -1 to 1, y up; `reach` is of the same unit
 * @returns the point in the world, or undefined when there is only empty space
 */
export function pickPoint(
  { sample, sampleConfidence }: { sample: Float32Array; sampleConfidence: Float32Array },
  minConfidence: number,
  worldMatrix: Matrix4,
  camera: Camera,
  x: number,
  y: number,
  aspect: number,
  reach = 0.03,
): Vector3 | undefined {
  const clipFromWorld = new Matrix4()
    .multiplyMatrices(camera.projectionMatrix, camera.matrixWorldInverse)
    .multiply(worldMatrix);
  const m = clipFromWorld.elements;
  let best = Infinity;
  let found = -1;
  for (let k = 0; k < sample.length; k += 3) {
    if (sampleConfidence[k / 3]! < minConfidence) continue;
    const [px, py, pz] = [sample[k]!, sample[k + 1]!, sample[k + 2]!];
    const w = m[3]! * px + m[7]! * py + m[11]! * pz + m[15]!;
    if (w <= 0 || w >= best) continue;
    const dx = (m[0]! * px + m[4]! * py + m[8]! * pz + m[12]!) / w - x;
    const dy = (m[1]! * px + m[5]! * py + m[9]! * pz + m[13]!) / w - y;
    if ((dx * aspect) ** 2 + dy ** 2 > reach ** 2) continue;
    best = w;
    found = k;
  }
  return found < 0 ? undefined : new Vector3(sample[found], sample[found + 1], sample[found + 2]);
}

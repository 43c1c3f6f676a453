import { useEffect, useMemo } from 'react';
import { BufferGeometry, Float32BufferAttribute, Matrix4, Vector2 } from 'three';
import type { CameraInfo } from '../../electron/contract/api.js';
import { rayThrough, worldFromCamera } from './frames.js';
import { usePhoto } from './use-photo.js';

/**
 * Cells along each side: within a cell the lens's bend is taken as straight, off by less than a tenth of a pixel for a
 * phone's lens.
 */
const CELLS = 32;

/**
 * The photo over the points it was taken of, seen from its camera: every pixel on its own ray, the lens's distortion
 * included.
 */
export function PhotoSheet({
  camera,
  url,
  opacity,
  wipe,
  depth,
  onChange,
}: {
  camera: CameraInfo;
  url: string;
  opacity: number;
  /** Pixels of the view at which it ends; undefined for the whole photo. */
  wipe: number | undefined;
  depth: number;
  onChange: () => void;
}) {
  const texture = usePhoto(url, onChange);
  const geometry = useMemo(() => sheetGeometry(camera), [camera]);
  useEffect(() => () => geometry.dispose(), [geometry]);
  const pose = useMemo(
    () => worldFromCamera(camera).multiply(new Matrix4().makeScale(depth, depth, depth)),
    [camera, depth],
  );
  if (!texture || opacity === 0) return null;
  return (
    <mesh
      geometry={geometry}
      matrix={pose}
      matrixAutoUpdate={false}
      frustumCulled={false}
      raycast={() => null}
      renderOrder={1}
      onBeforeRender={(renderer) => {
        if (wipe === undefined) return;
        renderer.setScissor(0, 0, Math.max(0, wipe), renderer.getSize(new Vector2()).y);
        renderer.setScissorTest(true);
      }}
      onAfterRender={(renderer) => renderer.setScissorTest(false)}
      ref={(mesh) => {
        if (mesh) mesh.matrixWorldNeedsUpdate = true;
      }}
    >
      <meshBasicMaterial
        map={texture}
        toneMapped={false}
        transparent
        opacity={opacity}
        depthTest={false}
        depthWrite={false}
        side={2}
      />
    </mesh>
  );
}

/** A grid over the photo's pixels, edge to edge, each vertex where its ray crosses depth 1; camera frame. */
export function sheetGeometry(
  camera: Pick<CameraInfo, 'width' | 'height' | 'fx' | 'fy' | 'cx' | 'cy' | 'k1' | 'k2'>,
): BufferGeometry {
  const positions: number[] = [];
  const pictures: number[] = [];
  const index: number[] = [];
  for (let row = 0; row <= CELLS; row++) {
    for (let column = 0; column <= CELLS; column++) {
      const [u, v] = [column / CELLS, row / CELLS];
      const [x, y] = rayThrough(camera, u * camera.width - 0.5, v * camera.height - 0.5);
      positions.push(x, y, 1);
      pictures.push(u, 1 - v);
      if (row === CELLS || column === CELLS) continue;
      const corner = row * (CELLS + 1) + column;
      index.push(corner, corner + 1, corner + CELLS + 2, corner, corner + CELLS + 2, corner + CELLS + 1);
    }
  }
  return new BufferGeometry()
    .setAttribute('position', new Float32BufferAttribute(positions, 3))
    .setAttribute('uv', new Float32BufferAttribute(pictures, 2))
    .setIndex(index);
}

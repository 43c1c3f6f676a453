import { useThree, type ThreeEvent } from '@react-three/fiber';
import { memo, useDeferredValue, useEffect, useMemo } from 'react';
import { BufferGeometry, DoubleSide, Float32BufferAttribute, Matrix4, Vector3 } from 'three';
import type { CameraInfo } from '../../electron/contract/api.js';
import { imageCorners, worldFromCamera } from './frames.js';
import { usePhoto } from './use-photo.js';

interface FrustaProps {
  cameras: readonly CameraInfo[];
  /** Depth of the picture in a frustum, world units. */
  depth: number;
  images: boolean;
  selected: readonly string[];
  hovered: string | undefined;
  binaryUrl: (name: string) => string;
  colours: { line: string; accent: string };
  onSelect: (photo: string, event: MouseEvent) => void;
  onHover: (photo: string | undefined) => void;
  onOpen: (photo: string) => void;
  /** The picture has changed without a property having changed. */
  onChange: () => void;
}

/** One pyramid a camera, its photo on the base. */
export function Frusta({ cameras, selected, hovered, ...rest }: FrustaProps) {
  // Of hundreds that are selected at once the frames are made piece by piece, between what the hand does.
  const chosen = new Set(useDeferredValue(selected));
  return cameras.map((camera) => (
    <Frustum
      key={camera.photo}
      camera={camera}
      {...rest}
      chosen={chosen.has(camera.photo)}
      touched={hovered === camera.photo}
    />
  ));
}

/** Only those that look other than before are made anew: of 500, a selection changes one or two. */
const Frustum = memo(function Frustum({
  camera,
  depth,
  images,
  chosen,
  touched,
  colours,
  binaryUrl,
  onSelect,
  onHover,
  onOpen,
  onChange,
}: Omit<FrustaProps, 'cameras' | 'selected' | 'hovered'> & {
  camera: CameraInfo;
  chosen: boolean;
  touched: boolean;
}) {
  const texture = usePhoto(images ? binaryUrl(`thumbnail/${camera.photo}`) : undefined, onChange);
  const pose = useMemo(() => worldFromCamera(camera), [camera]);
  const [lines, base, frame] = useMemo(() => geometries(camera, depth), [camera, depth]);
  useEffect(
    () => () => {
      lines.dispose();
      base.dispose();
      frame.dispose();
    },
    [lines, base, frame],
  );
  const pointer = useThree(({ gl }) => gl.domElement.style);
  const hover = (on: boolean): void => {
    onHover(on ? camera.photo : undefined);
    pointer.cursor = on ? 'pointer' : '';
  };
  const bright = chosen || touched;
  return (
    <group
      matrix={pose as Matrix4}
      matrixAutoUpdate={false}
      ref={(group) => {
        if (group) group.matrixWorldNeedsUpdate = true;
      }}
    >
      <lineSegments
        geometry={lines}
        raycast={() => null}
      >
        <lineBasicMaterial color={bright ? colours.accent : colours.line} />
      </lineSegments>
      {bright && (
        <mesh
          geometry={frame}
          raycast={() => null}
        >
          <meshBasicMaterial
            color={colours.accent}
            side={DoubleSide}
            toneMapped={false}
          />
        </mesh>
      )}
      <mesh
        geometry={base}
        userData={{ photo: camera.photo }}
        onClick={(event: ThreeEvent<MouseEvent>) => {
          if (event.delta > 4) return;
          event.stopPropagation();
          onSelect(camera.photo, event.nativeEvent);
        }}
        onDoubleClick={(event) => {
          event.stopPropagation();
          onOpen(camera.photo);
        }}
        onPointerOver={(event) => {
          event.stopPropagation();
          hover(true);
        }}
        onPointerOut={() => hover(false)}
      >
        {texture ? (
          <meshBasicMaterial
            key="photo"
            map={texture}
            side={DoubleSide}
            toneMapped={false}
          />
        ) : (
          <meshBasicMaterial
            key="glass"
            color={bright ? colours.accent : colours.line}
            side={DoubleSide}
            transparent
            opacity={0.12}
            depthWrite={false}
          />
        )}
      </mesh>
    </group>
  );
});

/**
 * The pyramid's eight edges with a tick at its top, its base with picture coordinates, and a frame around that: lines
 * are never wider than a pixel.
 */
function geometries(
  camera: CameraInfo,
  depth: number,
): [lines: BufferGeometry, base: BufferGeometry, frame: BufferGeometry] {
  const corners = imageCorners(camera, depth);
  const edges: number[] = [];
  corners.forEach((corner, k) =>
    edges.push(0, 0, 0, ...corner.toArray(), ...corner.toArray(), ...corners[(k + 1) % 4]!.toArray()),
  );
  const [left, right] = [corners[0]!, corners[1]!];
  const middle = left.clone().lerp(right, 0.5);
  const tick = middle.clone().add(middle.clone().sub(corners[3]!.clone().lerp(corners[2]!, 0.5)).multiplyScalar(0.14));
  edges.push(
    ...left.clone().lerp(right, 0.38).toArray(),
    ...tick.toArray(),
    ...tick.toArray(),
    ...left.clone().lerp(right, 0.62).toArray(),
  );
  const lines = new BufferGeometry().setAttribute('position', new Float32BufferAttribute(edges, 3));
  const base = new BufferGeometry()
    .setAttribute(
      'position',
      new Float32BufferAttribute(
        corners.flatMap((corner) => corner.toArray()),
        3,
      ),
    )
    .setAttribute('uv', new Float32BufferAttribute([0, 1, 1, 1, 1, 0, 0, 0], 2))
    .setIndex([0, 3, 2, 0, 2, 1]);
  const middleOfBase = corners[0]!.clone().lerp(corners[2]!, 0.5);
  const border = corners[0]!.distanceTo(corners[2]!) * 0.02;
  const outer = corners.map((corner) =>
    corner
      .clone()
      .add(
        new Vector3(Math.sign(corner.x - middleOfBase.x) * border, Math.sign(corner.y - middleOfBase.y) * border, 0),
      ),
  );
  const frame = new BufferGeometry()
    .setAttribute(
      'position',
      new Float32BufferAttribute(
        [...corners, ...outer].flatMap((corner) => corner.toArray()),
        3,
      ),
    )
    .setIndex(
      [0, 1, 2, 3].flatMap((k) => {
        const next = (k + 1) % 4;
        return [k, next, k + 4, next, next + 4, k + 4];
      }),
    );
  return [lines, base, frame];
}

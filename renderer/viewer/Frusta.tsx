import { useThree, type ThreeEvent } from '@react-three/fiber';
import { useEffect, useMemo, useState } from 'react';
import { BufferGeometry, DoubleSide, Float32BufferAttribute, Matrix4, SRGBColorSpace, TextureLoader, type Texture } from 'three';
import type { CameraInfo } from '../../electron/contract/api.js';
import { api } from '../transport/index.js';
import { imageCorners, worldFromCamera } from './frames.js';

interface FrustaProps {
  cameras: readonly CameraInfo[];
  /** Depth of the picture in a frustum, world units. */
  depth: number;
  images: boolean;
  selected: readonly string[];
  colours: { line: string; accent: string };
  onSelect: (photo: string, event: MouseEvent) => void;
  onHover: (photo: string | undefined) => void;
  onOpen: (photo: string) => void;
  /** The picture has changed without a property having changed. */
  onChange: () => void;
}

/** One pyramid a camera, its photo on the base. */
export function Frusta({ cameras, ...rest }: FrustaProps) {
  return cameras.map((camera) => <Frustum key={camera.photo} camera={camera} {...rest} chosen={rest.selected.includes(camera.photo)} />);
}

function Frustum({ camera, depth, images, chosen, colours, onSelect, onHover, onOpen, onChange }: Omit<FrustaProps, 'cameras'> & { camera: CameraInfo; chosen: boolean }) {
  const [hovered, setHovered] = useState(false);
  const texture = useThumbnail(camera.photo, images, onChange);
  const pose = useMemo(() => worldFromCamera(camera), [camera]);
  const [lines, base] = useMemo(() => geometries(camera, depth), [camera, depth]);
  useEffect(() => () => { lines.dispose(); base.dispose(); }, [lines, base]);
  const pointer = useThree(({ gl }) => gl.domElement.style);
  const hover = (on: boolean): void => {
    setHovered(on);
    onHover(on ? camera.photo : undefined);
    pointer.cursor = on ? 'pointer' : '';
  };
  const bright = chosen || hovered;
  return (
    <group matrix={pose as Matrix4} matrixAutoUpdate={false} ref={(group) => { if (group) group.matrixWorldNeedsUpdate = true; }}>
      <lineSegments geometry={lines} raycast={() => null}>
        <lineBasicMaterial color={bright ? colours.accent : colours.line} />
      </lineSegments>
      <mesh geometry={base} userData={{ photo: camera.photo }}
        onClick={(event: ThreeEvent<MouseEvent>) => { if (event.delta > 4) return; event.stopPropagation(); onSelect(camera.photo, event.nativeEvent); }}
        onDoubleClick={(event) => { event.stopPropagation(); onOpen(camera.photo); }}
        onPointerOver={(event) => { event.stopPropagation(); hover(true); }} onPointerOut={() => hover(false)}>
        {texture
          ? <meshBasicMaterial key="photo" map={texture} side={DoubleSide} toneMapped={false} />
          : <meshBasicMaterial key="glass" color={bright ? colours.accent : colours.line} side={DoubleSide} transparent opacity={0.12} depthWrite={false} />}
      </mesh>
    </group>
  );
}

/** The pyramid's eight edges with a tick at its top, and its base with picture coordinates. */
function geometries(camera: CameraInfo, depth: number): [BufferGeometry, BufferGeometry] {
  const corners = imageCorners(camera, depth);
  const edges: number[] = [];
  corners.forEach((corner, k) => edges.push(0, 0, 0, ...corner.toArray(), ...corner.toArray(), ...corners[(k + 1) % 4]!.toArray()));
  const [left, right] = [corners[0]!, corners[1]!];
  const middle = left.clone().lerp(right, 0.5);
  const tick = middle.clone().add(middle.clone().sub(corners[3]!.clone().lerp(corners[2]!, 0.5)).multiplyScalar(0.14));
  edges.push(...left.clone().lerp(right, 0.38).toArray(), ...tick.toArray(), ...tick.toArray(), ...left.clone().lerp(right, 0.62).toArray());
  const lines = new BufferGeometry().setAttribute('position', new Float32BufferAttribute(edges, 3));
  const base = new BufferGeometry()
    .setAttribute('position', new Float32BufferAttribute(corners.flatMap((corner) => corner.toArray()), 3))
    .setAttribute('uv', new Float32BufferAttribute([0, 1, 1, 1, 1, 0, 0, 0], 2))
    .setIndex([0, 3, 2, 0, 2, 1]);
  return [lines, base];
}

const loader = new TextureLoader();

function useThumbnail(photo: string, wanted: boolean, onChange: () => void): Texture | undefined {
  const [texture, setTexture] = useState<Texture>();
  useEffect(() => {
    if (!wanted) return;
    let current = true;
    let loaded: Texture | undefined;
    loader.load(api.binaryUrl(`thumbnail/${photo}`), (answer) => {
      answer.colorSpace = SRGBColorSpace;
      if (!current) return answer.dispose();
      loaded = answer;
      setTexture(answer);
      onChange();
    });
    return () => {
      current = false;
      setTexture(undefined);
      loaded?.dispose();
    };
  }, [photo, wanted, onChange]);
  return texture;
}

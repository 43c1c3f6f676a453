import { useThree, type ThreeEvent } from '@react-three/fiber';
import { useEffect, useMemo, useState } from 'react';
import {
  BufferAttribute,
  Color,
  DataTexture,
  DoubleSide,
  LinearFilter,
  Mesh,
  MeshBasicMaterial,
  MeshMatcapMaterial,
  SRGBColorSpace,
  TextureLoader,
  type BufferGeometry,
  type Group,
  type Material,
} from 'three';
import { GLTFLoader } from 'three/examples/jsm/loaders/GLTFLoader.js';
import { percentileOf } from '../../electron/contract/confidence.js';
import { ramp } from './ramp.js';
import type { ViewerSettings } from '../store/viewer-settings.js';

export interface MeshShown {
  /** Of the contract's binaries `mesh/<revision>` and `mesh-photos/<revision>`. */
  url: string;
  photosUrl: string;
  /** The photo that the clicked face is coloured from, by its number; -1: none. */
  onPhoto: (photo: number) => void;
  onError: (error: Error) => void;
}

interface MeshLayerProps extends MeshShown {
  look: ViewerSettings['meshLook'];
  /** Of all depths of the scene (contract/confidence.ts). */
  confidenceScale: readonly number[];
  onChange: () => void;
}

/** The textured mesh. It is loaded once per revision; what it looks like is a matter of its materials. */
export function MeshLayer({ url, photosUrl, look, confidenceScale, onPhoto, onChange, onError }: MeshLayerProps) {
  const { gl } = useThree();
  const [loaded, setLoaded] = useState<Loaded>();
  useEffect(() => {
    let gone = false;
    load(url, photosUrl).then(
      (value) => {
        if (gone) dispose(value.group);
        else setLoaded(value);
      },
      (error: Error) => !gone && onError(error),
    );
    return () => {
      gone = true;
    };
  }, [url, photosUrl]); // eslint-disable-line react-hooks/exhaustive-deps
  useEffect(() => () => loaded && dispose(loaded.group), [loaded]);
  const shaded = useMemo(clay, []);
  useEffect(
    () => () => {
      shaded.matcap?.dispose();
      shaded.dispose();
    },
    [shaded],
  );
  useEffect(() => {
    if (!loaded) return;
    const anisotropy = gl.capabilities.getMaxAnisotropy();
    for (const part of loaded.parts) dress(part, look, { shaded, photos: loaded.photos, confidenceScale, anisotropy });
    onChange();
  }, [loaded, look, confidenceScale, shaded, gl, onChange]);
  if (!loaded) return null;
  const clicked = (event: ThreeEvent<MouseEvent>): void => {
    // A drag turns the view; it chooses nothing.
    if (event.delta > 4 || event.faceIndex == null) return;
    event.stopPropagation();
    const first = (event.object.userData as { firstFace?: number }).firstFace ?? 0;
    onPhoto(loaded.photos[first + event.faceIndex] ?? -1);
  };
  return (
    // glTF's y up back to the axes of the alignment.
    <group rotation-x={Math.PI / 2}>
      <primitive
        object={loaded.group}
        onClick={clicked}
      />
    </group>
  );
}

/**
 * Pictures inside the file are shown as images: the loader's own way fetches them, which the page's security policy
 * allows from nowhere but the studio's own address.
 */
function meshLoader(): GLTFLoader {
  return new GLTFLoader().register((parser) => {
    parser.textureLoader = new TextureLoader(parser.options.manager);
    return { name: 'pictures as images' };
  });
}

interface Loaded {
  group: Group;
  /** One a texture page. What dressing adds to them is none of these. */
  parts: Mesh<BufferGeometry>[];
  photos: Int16Array;
}

async function load(url: string, photosUrl: string): Promise<Loaded> {
  const [gltf, photos] = await Promise.all([
    meshLoader().loadAsync(url),
    fetch(photosUrl).then((response) => {
      if (!response.ok) throw new Error(`the mesh could not be loaded (${response.status})`);
      return response.arrayBuffer();
    }),
  ]);
  let first = 0;
  const parts: Mesh<BufferGeometry>[] = [];
  gltf.scene.traverse((part) => {
    if (!(part instanceof Mesh)) return;
    const mesh = part as Mesh<BufferGeometry>;
    mesh.userData = { ...mesh.userData, firstFace: first, texture: mesh.material };
    first += (mesh.geometry.index?.count ?? 0) / 3;
    parts.push(mesh);
  });
  return { group: gltf.scene, parts, photos: new Int16Array(photos) };
}

interface Dress {
  shaded: Material;
  photos: Int16Array;
  confidenceScale: readonly number[];
  anisotropy: number;
}

function dress(
  mesh: Mesh<BufferGeometry>,
  look: ViewerSettings['meshLook'],
  { shaded, photos, confidenceScale, anisotropy }: Dress,
): void {
  const own = mesh.userData as {
    firstFace: number;
    texture: MeshBasicMaterial;
    byPhoto?: Mesh;
    sure?: MeshBasicMaterial;
    /** The scale of its colours. */
    sureBy?: readonly number[];
    wire?: MeshBasicMaterial;
  };
  if (own.texture.map) own.texture.map.anisotropy = anisotropy;
  own.wire ??= new MeshBasicMaterial({ color: '#7aa2c8', wireframe: true });
  if (look === 'photo' && !own.byPhoto) {
    own.byPhoto = colouredByPhoto(mesh.geometry, photos, own.firstFace);
    mesh.add(own.byPhoto);
  }
  if (own.byPhoto) own.byPhoto.visible = look === 'photo';
  if (look === 'confidence' && own.sureBy !== confidenceScale) {
    own.sure?.dispose();
    own.sure = colouredByConfidence(mesh.geometry, confidenceScale);
    own.sureBy = confidenceScale;
  }
  const materials = {
    texture: own.texture,
    shape: shaded,
    wireframe: own.wire,
    confidence: own.sure,
    photo: undefined,
  };
  mesh.material = materials[look] ?? own.texture;
}

/** Grey under a lamp over the viewer's left shoulder, whichever way the view turns. */
function clay(): MeshMatcapMaterial {
  const size = 64;
  const pixels = new Uint8Array(4 * size * size);
  for (let k = 0; k < size * size; k++) {
    // A ball seen from the front: the pixel's place is the normal's x and y.
    const x = ((k % size) + 0.5) / (size / 2) - 1;
    const y = (Math.floor(k / size) + 0.5) / (size / 2) - 1;
    const z = Math.sqrt(Math.max(0, 1 - x * x - y * y));
    const light = Math.max(0, -0.4 * x + 0.5 * y + 0.77 * z);
    pixels.set([0, 0, 0].map(() => 50 + 175 * light).concat(255), 4 * k);
  }
  const matcap = new DataTexture(pixels, size, size);
  matcap.colorSpace = SRGBColorSpace;
  matcap.minFilter = matcap.magFilter = LinearFilter;
  matcap.needsUpdate = true;
  return new MeshMatcapMaterial({ matcap, side: DoubleSide });
}

/** Gives the vertices the colours of what the depth maps say of them, on the scale of points, maps and pairs. */
function colouredByConfidence(geometry: BufferGeometry, scale: readonly number[]): MeshBasicMaterial {
  const confidence = geometry.attributes['_confidence'];
  const colours = new Float32Array(3 * (confidence?.count ?? 0));
  const colour = new Color();
  for (let k = 0; k < colours.length / 3; k++) {
    colour.setRGB(...ramp(percentileOf(scale, confidence!.getX(k)) / 100), SRGBColorSpace);
    colours.set([colour.r, colour.g, colour.b], 3 * k);
  }
  geometry.setAttribute('color', new BufferAttribute(colours, 3));
  return new MeshBasicMaterial({ vertexColors: true, side: DoubleSide });
}

/** Drawn a hair in front of the mesh: each face in the colour of its photo. */
function colouredByPhoto(geometry: BufferGeometry, photos: Int16Array, firstFace: number): Mesh {
  const flat = geometry.toNonIndexed();
  const colours = new Uint8Array(flat.attributes.position!.count * 3);
  for (let k = 0; k < colours.length; k++) {
    const photo = photos[firstFace + Math.floor(k / 9)]!;
    colours[k] = photo < 0 ? 40 : 60 + ((photo * [97, 61, 151][k % 3]! + 50) % 190);
  }
  flat.setAttribute('color', new BufferAttribute(colours, 3, true));
  const mesh = new Mesh(
    flat,
    new MeshBasicMaterial({ vertexColors: true, polygonOffset: true, polygonOffsetFactor: -1 }),
  );
  mesh.raycast = () => undefined;
  return mesh;
}

function dispose(group: Group): void {
  group.traverse((part) => {
    if (!(part instanceof Mesh)) return;
    const mesh = part as Mesh<BufferGeometry>;
    mesh.geometry.dispose();
    const own = mesh.userData as { texture?: MeshBasicMaterial; wire?: MeshBasicMaterial; sure?: MeshBasicMaterial };
    own.texture?.map?.dispose();
    own.texture?.dispose();
    own.wire?.dispose();
    own.sure?.dispose();
  });
}

import { useThree, type ThreeEvent } from '@react-three/fiber';
import { useEffect, useMemo, useState } from 'react';
import {
  BufferAttribute,
  Mesh,
  MeshBasicMaterial,
  MeshNormalMaterial,
  TextureLoader,
  type BufferGeometry,
  type Group,
  type Material,
} from 'three';
import { GLTFLoader } from 'three/examples/jsm/loaders/GLTFLoader.js';
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
  onChange: () => void;
}

/** The textured mesh. It is loaded once per revision; what it looks like is a matter of its materials. */
export function MeshLayer({ url, photosUrl, look, onPhoto, onChange, onError }: MeshLayerProps) {
  const { gl } = useThree();
  const [loaded, setLoaded] = useState<{ group: Group; photos: Int16Array }>();
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
  const shaded = useMemo(() => new MeshNormalMaterial(), []);
  useEffect(() => () => shaded.dispose(), [shaded]);
  useEffect(() => {
    if (!loaded) return;
    loaded.group.traverse((part) => {
      if (part instanceof Mesh)
        dress(part as Mesh<BufferGeometry>, look, shaded, loaded.photos, gl.capabilities.getMaxAnisotropy());
    });
    onChange();
  }, [loaded, look, shaded, gl, onChange]);
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

async function load(url: string, photosUrl: string): Promise<{ group: Group; photos: Int16Array }> {
  const [gltf, photos] = await Promise.all([
    meshLoader().loadAsync(url),
    fetch(photosUrl).then((response) => {
      if (!response.ok) throw new Error(`the mesh could not be loaded (${response.status})`);
      return response.arrayBuffer();
    }),
  ]);
  let first = 0;
  gltf.scene.traverse((part) => {
    if (!(part instanceof Mesh)) return;
    const mesh = part as Mesh<BufferGeometry>;
    mesh.userData = { ...mesh.userData, firstFace: first, texture: mesh.material };
    first += (mesh.geometry.index?.count ?? 0) / 3;
  });
  return { group: gltf.scene, photos: new Int16Array(photos) };
}

function dress(
  mesh: Mesh<BufferGeometry>,
  look: ViewerSettings['meshLook'],
  shaded: Material,
  photos: Int16Array,
  anisotropy: number,
): void {
  const own = mesh.userData as {
    firstFace: number;
    texture: MeshBasicMaterial;
    byPhoto?: Mesh;
    wire?: MeshBasicMaterial;
  };
  if (own.texture.map) own.texture.map.anisotropy = anisotropy;
  own.wire ??= new MeshBasicMaterial({ color: '#7aa2c8', wireframe: true });
  if (look === 'photo' && !own.byPhoto) {
    own.byPhoto = colouredByPhoto(mesh.geometry, photos, own.firstFace);
    mesh.add(own.byPhoto);
  }
  if (own.byPhoto) own.byPhoto.visible = look === 'photo';
  mesh.material = look === 'shape' ? shaded : look === 'wireframe' ? own.wire : own.texture;
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
    const own = mesh.userData as { texture?: MeshBasicMaterial; wire?: MeshBasicMaterial };
    own.texture?.map?.dispose();
    own.texture?.dispose();
    own.wire?.dispose();
  });
}

import { useFrame, useThree } from '@react-three/fiber';
import { useCallback, useEffect, useImperativeHandle, useLayoutEffect, useMemo, useRef, type RefObject } from 'react';
import { BoxGeometry, Color, Matrix4, PerspectiveCamera, Vector3, type Quaternion } from 'three';
import type { CameraInfo } from '../../electron/contract/api.js';
import { PointBudget } from './budget.js';
import { FrameClock } from './frame-clock.js';
import { depthRange } from './extent.js';
import { Frusta } from './Frusta.js';
import {
  boxOf,
  cameraFromThree,
  letterbox,
  originOf,
  projectionThrough,
  turnOfRoom,
  uprightOf,
  worldFromCamera,
} from './frames.js';
import { viewDirections } from './handle.js';
import { placeLabel } from './label.js';
import { MeshLayer } from './MeshLayer.js';
import { useNavigation } from './navigation.js';
import { PhotoSheet } from './PhotoSheet.js';
import { pickPoint } from './pick.js';
import { modeNumber, pointMaterial, scaleUniform } from './point-material.js';
import { PointPass } from './point-pass.js';
import { projectorOf, type Frames } from './projector.js';
import { themeColours } from './theme.js';
import { useEditing } from './use-editing.js';
import type { ViewerProps } from './Viewer.js';

const backgrounds: Readonly<Partial<Record<string, string>>> = { black: '#000000', grey: '#808080', white: '#ffffff' };

/** Of the eye-dome lighting: edges stand out, and a slope of 45 degrees keeps nearly all of its light. */
const SHADING = 14;
/** Pixels of the page. */
const SHADING_REACH = 1.4;

/** The crop box before it is put in its place. */
const UNIT_BOX = new BoxGeometry();

interface StageProps extends ViewerProps {
  through: CameraInfo | undefined;
  hovered: string | undefined;
  onHover: (photo: string | undefined) => void;
  label: RefObject<HTMLDivElement | null>;
  /** Told of every frame. */
  frames: Frames;
  /** Of the scene frame, while it is being made. */
  turn: Quaternion | undefined;
  /** The frame that it made is here. */
  onTurned: () => void;
}

/** What stands in the 3D view, and its frames: points by budget, everything else over them. */
export function Stage({
  cloud,
  part = '',
  cameras,
  frame,
  deleted,
  region,
  confidenceScale = cloud.confidenceScale,
  settings,
  onSettings,
  selected,
  onSelect,
  binaryUrl,
  theme,
  mesh,
  onStatistics,
  through,
  hovered,
  onHover,
  label,
  frames,
  turn,
  onTurned,
  ref,
}: StageProps) {
  const { gl, size, camera, scene, invalidate, viewport } = useThree();
  const budget = useMemo(() => new PointBudget(), []);
  const material = useMemo(pointMaterial, []);
  const pass = useMemo(() => new PointPass(material), [material]);
  const clock = useMemo(() => new FrameClock(gl.getContext() as WebGL2RenderingContext), [gl]);
  const eye = useMemo(() => new PerspectiveCamera(), []);
  const lookThrough = useCallback((photo: string) => onSettings({ lookThrough: photo }), [onSettings]);
  const colours = useMemo(themeColours, [theme]);
  const ground = useMemo(
    () => new Color(backgrounds[settings.background] ?? colours.view),
    [colours, settings.background],
  );
  const navigation = useNavigation(settings.navigation, cloud.radius);
  const frameKey = frame.matrix.join();
  const upright = useMemo(() => uprightOf(frame), [frameKey]); // eslint-disable-line react-hooks/exhaustive-deps
  const toWorld = useCallback((point: Vector3) => point.clone().applyQuaternion(upright), [upright]);
  const scale = useMemo(() => scaleUniform(confidenceScale), [confidenceScale]);
  const chosenSource = settings.colour === 'source' ? cameras.findIndex(({ photo }) => photo === selected.at(-1)) : -1;

  // A mesh that is not there leaves the points.
  const meshShown = mesh !== undefined && settings.layer !== 'cloud' ? mesh : undefined;
  const pointCount = meshShown && settings.layer === 'mesh' ? 0 : Math.min(cloud.count, settings.pointBudget);

  const redraw = useCallback(() => {
    budget.restart();
    invalidate();
  }, [budget, invalidate]);
  useEffect(
    () => () => {
      pass.dispose();
      material.dispose();
    },
    [pass, material],
  );
  useEffect(() => {
    pass.setCloud(cloud);
    redraw();
  }, [pass, cloud, redraw]);
  const placed = useMemo(() => turnedPlace(upright, turn, cloud.centre), [upright, turn, cloud]);
  useEffect(() => {
    pass.world.quaternion.copy(placed.quaternion);
    pass.world.position.copy(placed.position);
    redraw();
  }, [pass, placed, redraw]);
  useEffect(() => {
    cloud.showInferred(settings.inferred);
    redraw();
  }, [cloud, settings.inferred, redraw]);
  useEffect(redraw, [
    redraw,
    through,
    size,
    viewport.dpr,
    chosenSource,
    scale,
    settings.colour,
    settings.pointSize,
    settings.minConfidence,
    settings.pointBudget,
    settings.layer,
  ]);
  // Whatever else of the settings has changed needs a frame, not all points again.
  useEffect(() => {
    gl.autoClear = false;
    invalidate();
  }, [gl, ground, settings, selected, hovered, cameras, invalidate]);
  useEffect(() => {
    const canvas = gl.domElement;
    canvas.addEventListener('webglcontextrestored', redraw);
    return () => canvas.removeEventListener('webglcontextrestored', redraw);
  }, [gl, redraw]);

  const fit = useCallback(
    (direction?: Vector3, animate = true) => {
      // What is to be in the picture: the cloud, and the cameras unless they stand far off.
      const near = cameras
        .map((each) => new Vector3().setFromMatrixPosition(worldFromCamera(each)))
        .filter((position) => position.distanceTo(cloud.centre) < 2.5 * cloud.radius);
      navigation.frame(toWorld(cloud.centre), [...cloud.corners, ...near].map(toWorld), direction, animate);
    },
    [navigation, cloud, cameras, toWorld],
  );
  // The first cloud is framed from a little above and beside the first camera's side. A growing one stays in the
  // picture as long as no hand has moved the view; from then on the eye stays where it is. Another part is another
  // place, of another size: it is framed as a first cloud is.
  const framed = useRef<string>(undefined);
  useEffect(() => {
    const isFirst = framed.current !== part;
    if (cloud.count === 0 || (!isFirst && navigation.touched())) return;
    fit(isFirst ? new Vector3(0.35, 0.35, 1) : undefined, false);
    framed.current = part;
  }, [cloud, part, fit, navigation]);

  // The frame that a turn has made turns about the origin, not about the middle: the eye goes with the scene.
  const latest = useRef(placed);
  useLayoutEffect(() => {
    if (turn) {
      navigation.shift(latest.current.position.clone().negate());
      onTurned();
    }
  }, [frameKey]); // eslint-disable-line react-hooks/exhaustive-deps
  useLayoutEffect(() => {
    latest.current = placed;
  }, [placed]);

  const seen = useCallback(
    () => ({ camera: through ? eye : camera, world: pass.world.matrixWorld, width: size.width, height: size.height }),
    [through, eye, camera, pass, size],
  );
  const editing = useEditing({
    cloud,
    cameras,
    deleted,
    minConfidence: settings.minConfidence,
    through,
    view: seen,
    onChange: redraw,
  });
  const boxFromWorld = useMemo(() => region && boxOf(region, frame), [region, frame]);
  useEffect(redraw, [redraw, boxFromWorld]);

  useImperativeHandle(ref, () => ({
    editing,
    fit: () => {
      onSettings({ lookThrough: undefined });
      fit();
    },
    view: (from) => {
      onSettings({ lookThrough: undefined });
      fit(new Vector3(...viewDirections[from]));
    },
    screenshot: (scale = 1) =>
      atScale(scale, () => {
        draw();
        // The browser keeps the picture until this turn ends, and no longer.
        return new Promise<Blob>((resolve, reject) =>
          gl.domElement.toBlob(
            (blob) => (blob ? resolve(blob) : reject(new Error('the browser gave no picture of the view'))),
            'image/png',
          ),
        );
      }),
    place: () => navigation.place(),
    stand: ({ eye, target }) => {
      onSettings({ lookThrough: undefined });
      navigation.stand(new Vector3(...eye), new Vector3(...target));
      redraw();
    },
    turntable: (share) => {
      navigation.turn(share);
      draw();
      return gl.domElement;
    },
  }));

  /** One frame, every point of the budget in it. */
  const draw = (): void => {
    const view = prepare();
    pass.draw(gl, view, 0, pointCount, true);
    show(view);
  };
  /** Draws larger than the page shows it, as far as the graphics processor can. */
  const atScale = <T,>(scale: number, picture: () => T): T => {
    const ratio = gl.getPixelRatio();
    const most = gl.capabilities.maxTextureSize / Math.max(size.width, size.height);
    try {
      if (scale !== 1) gl.setPixelRatio(Math.min(ratio * scale, most));
      return picture();
    } finally {
      if (scale !== 1) gl.setPixelRatio(ratio);
      redraw();
    }
  };

  // Looking through a camera takes the hand off; leaving it, one stands a step behind it, so that its own frustum does
  // not fill the view.
  useEffect(() => {
    navigation.enable(through === undefined);
    if (!through) return;
    const pose = new Matrix4().makeRotationFromQuaternion(upright).multiply(worldFromCamera(through));
    const position = new Vector3().setFromMatrixPosition(pose);
    const forward = new Vector3().setFromMatrixColumn(pose, 2);
    const away = Math.max(cloud.radius * 0.2, toWorld(cloud.centre).sub(position).dot(forward));
    navigation.stand(
      position.clone().addScaledVector(forward, -cloud.radius * 0.35),
      position.clone().addScaledVector(forward, away),
    );
  }, [through, navigation, upright, cloud, toWorld]);

  /** Sets what a frame depends on. @returns the camera it is seen by */
  const prepare = (): PerspectiveCamera => {
    const view = through ? eye : (camera as PerspectiveCamera);
    const distance = Math.max(navigation.distance(), cloud.radius * 0.1);
    const [near, far] = [cloud.radius * 0.002, cloud.radius * 200];
    if (through) {
      eye.matrixAutoUpdate = false;
      eye.matrix.makeRotationFromQuaternion(upright).multiply(worldFromCamera(through)).multiply(cameraFromThree);
      eye.updateMatrixWorld(true);
      eye.projectionMatrix.copy(projectionThrough(through, size, near, far));
      eye.projectionMatrixInverse.copy(eye.projectionMatrix).invert();
    } else if (view.near !== near || view.far !== far) {
      Object.assign(view, { near, far });
      view.updateProjectionMatrix();
    }
    const { uniforms } = material;
    const set = (name: string, value: number): void => {
      uniforms[name]!.value = value;
    };
    set('size', settings.pointSize);
    set('scale', through ? cloud.radius : distance);
    set('pixelRatio', gl.getPixelRatio());
    set('mode', modeNumber(settings.colour));
    set('minConfidence', settings.minConfidence);
    uniforms.confidences!.value = scale;
    if (settings.colour === 'depth') {
      view.updateMatrixWorld();
      const [nearest, farthest] = depthRange(cloud.sample, view.matrixWorldInverse, upright, cloud.radius * 0.05);
      set('nearest', nearest);
      set('farthest', farthest);
    }
    set('chosenSource', chosenSource);
    uniforms.cropped!.value = boxFromWorld !== undefined;
    if (boxFromWorld) (uniforms.boxFromWorld!.value as Matrix4).copy(boxFromWorld);
    if (cloud.normals !== (material.defines.WITH_NORMALS !== undefined)) {
      material.defines = cloud.normals ? { WITH_NORMALS: '' } : {};
      material.needsUpdate = true;
    }
    return view;
  };
  const show = (view: PerspectiveCamera): void => {
    // Again in every frame: three.js converts it for the target that is bound, and for the points' picture that is
    // another space.
    gl.setClearColor(ground, 1);
    gl.clear();
    // Not over a photo that the points are compared with, and not where a colour is a value.
    const shaded = settings.shading && !through && (settings.colour === 'photo' || settings.colour === 'source');
    pass.compose(gl, view, { strength: shaded ? SHADING : 0, reach: gl.getPixelRatio() * SHADING_REACH });
    gl.render(scene, view);
    frames.tell(projectorOf(view, upright, frame, size));
    const labelled = cameras.find(({ photo }) => photo === hovered);
    if (labelled && label.current)
      placeLabel(label.current, labelled, cloud.radius * settings.frustumSize, upright, view, size);
  };

  // A priority above zero takes the drawing over from react-three-fiber.
  useFrame((_, delta) => {
    if (!through && navigation.update(delta)) budget.restart();
    const now = performance.now();
    const last = clock.poll(now);
    // One frame at a time: a hand that moves on is followed by the next frame, not by all those it has left behind.
    if (last === 'busy') return invalidate();
    if (last) budget.adapt(last.first, last.points, last.milliseconds);
    const { from, to, clear, complete } = budget.next(pointCount);
    const view = prepare();
    const drawing = to > from || clear;
    if (drawing) pass.draw(gl, view, from, to, clear);
    show(view);
    if (drawing) clock.submit(clear, to - from, now);
    if (!complete) invalidate();
    onStatistics({ displayed: to, total: cloud.count });
  }, 1);

  useEffect(() => {
    const canvas = gl.domElement;
    const doubled = (event: MouseEvent): void => {
      if (through) return;
      const box = canvas.getBoundingClientRect();
      const [x, y] = [
        ((event.clientX - box.left) / box.width) * 2 - 1,
        1 - ((event.clientY - box.top) / box.height) * 2,
      ];
      const point = pickPoint(
        cloud,
        settings.minConfidence,
        pass.world.matrixWorld,
        camera,
        x,
        y,
        box.width / box.height,
      );
      if (point) navigation.pivot(toWorld(point));
    };
    canvas.addEventListener('dblclick', doubled);
    return () => canvas.removeEventListener('dblclick', doubled);
  }, [gl, camera, cloud, pass, through, settings.minConfidence, navigation, toWorld]);

  const middle = useMemo(() => toWorld(cloud.centre), [cloud, toWorld]);
  const groundHeight = useMemo(() => originOf(frame).y, [frame]);
  return (
    <>
      <group
        quaternion={placed.quaternion}
        position={placed.position}
      >
        {boxFromWorld && (
          <lineSegments
            matrix={boxFromWorld.clone().invert()}
            matrixAutoUpdate={false}
            raycast={() => null}
          >
            <edgesGeometry args={[UNIT_BOX]} />
            <lineBasicMaterial color={colours.accent} />
          </lineSegments>
        )}
        {settings.cameras && !through && (
          <Frusta
            cameras={cameras}
            depth={cloud.radius * settings.frustumSize}
            images={settings.images}
            selected={selected}
            hovered={hovered}
            colours={colours}
            binaryUrl={binaryUrl}
            onSelect={onSelect}
            onHover={onHover}
            onOpen={lookThrough}
            onChange={invalidate}
          />
        )}
        {meshShown && (
          <MeshLayer
            key={meshShown.url}
            {...meshShown}
            look={settings.meshLook}
            confidenceScale={confidenceScale}
            onChange={invalidate}
          />
        )}
        {through && (
          <PhotoSheet
            camera={through}
            url={binaryUrl(`photo/${through.photo}`)}
            opacity={settings.overlay === 'wipe' ? 1 : settings.overlayOpacity}
            wipe={settings.overlay === 'wipe' ? wipeEnd(through, size, settings.wipe) : undefined}
            depth={cloud.radius}
            onChange={invalidate}
          />
        )}
      </group>
      {settings.grid && (
        <gridHelper
          key={`${cloud.radius} ${colours.grid}`}
          args={[cloud.radius * 4, 40, colours.grid, colours.grid]}
          position={[middle.x, groundHeight, middle.z]}
          raycast={() => null}
        />
      )}
      {settings.axes && (
        <axesHelper
          key={cloud.radius}
          args={[cloud.radius * 0.4]}
          quaternion={upright}
          raycast={() => null}
        />
      )}
    </>
  );
}

/** Pixels of the view at which a photo that is laid up to a line ends. */
function wipeEnd(camera: CameraInfo, size: { width: number; height: number }, wipe: number): number {
  const { left, width } = letterbox(camera, size);
  return left + wipe * width;
}

/** How the cloud stands in the room: upright, and while it is being turned, turned about its middle. */
function turnedPlace(
  upright: Quaternion,
  turn: Quaternion | undefined,
  middle: Vector3,
): { quaternion: Quaternion; position: Vector3 } {
  if (!turn) return { quaternion: upright, position: new Vector3() };
  const inRoom = turnOfRoom(turn);
  const centre = middle.clone().applyQuaternion(upright);
  return {
    quaternion: inRoom.clone().multiply(upright),
    position: centre.clone().sub(centre.clone().applyQuaternion(inRoom)),
  };
}

import { useFrame, useThree } from '@react-three/fiber';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { Color, Group, Matrix4, PerspectiveCamera, Points, Vector3 } from 'three';
import type { CameraInfo } from '../../electron/contract/api.js';
import { choose } from '../photos/selection.js';
import { setStudio, setViewer, useStudio } from '../store/studio.js';
import { PointBudget, partOf } from './budget.js';
import { CHUNK, type CloudData } from './cloud-data.js';
import { cameraFromThree, projectionThrough, uprightFromWorld, worldFromCamera } from './frames.js';
import { Frusta } from './Frusta.js';
import { mountViewer } from './handle.js';
import { useNavigation } from './navigation.js';
import { pickPoint } from './pick.js';
import { modeNumber, pointMaterial } from './point-material.js';

interface StageProps {
  cloud: CloudData;
  cameras: readonly CameraInfo[];
  onHover: (photo: string | undefined) => void;
}

/** Colours of the page that the drawing needs. */
function themeColours(): { view: string; line: string; accent: string; grid: string } {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string): string => style.getPropertyValue(name).trim();
  return { view: read('--view'), line: read('--text-faint'), accent: read('--accent'), grid: read('--line-strong') };
}

/** What stands in the 3D view, and its frames: points by budget, everything else with the first of them. */
export function Stage({ cloud, cameras, onHover }: StageProps) {
  const { gl, size, camera, scene, invalidate, viewport } = useThree();
  const settings = useStudio(({ viewer }) => viewer);
  const theme = useStudio(({ theme }) => theme);
  const selected = useStudio(({ selectedPhotos }) => selectedPhotos);
  const budget = useMemo(() => new PointBudget(), []);
  const world = useRef<Group>(null);
  const decor = useRef<Group>(null);
  // An upright that jumped with every partial result would make people sick: settled by the first cameras of a project.
  const placed = cameras.length > 0;
  const [upright, setUpright] = useState(() => uprightFromWorld(cameras));
  useEffect(() => setUpright(uprightFromWorld(cameras)), [placed, cameras.length > 4]); // eslint-disable-line react-hooks/exhaustive-deps
  const material = useMemo(pointMaterial, []);
  const points = useMemo(() => cloud.chunks.map((chunk) => Object.assign(new Points(chunk, material), { frustumCulled: false, raycast: () => undefined })), [cloud, material]);
  const through = cameras.find(({ photo }) => photo === settings.lookThrough);
  const navigation = useNavigation(settings.navigation, cloud.radius);
  const colours = useMemo(themeColours, [theme]);
  const eye = useMemo(() => new PerspectiveCamera(), []);

  const redraw = useCallback(() => { budget.restart(); invalidate(); }, [budget, invalidate]);
  useEffect(() => () => material.dispose(), [material]);
  useEffect(redraw); // Every rendering of this component means that something to be seen has changed.
  useEffect(() => {
    gl.autoClear = false;
    scene.background = null;
    gl.setClearColor(new Color(colours.view), 1);
    redraw();
  }, [gl, scene, colours, redraw]);

  const toWorld = useCallback((point: Vector3) => point.clone().applyQuaternion(upright), [upright]);
  const fit = useCallback((direction?: Vector3, animate = true) => navigation.frame(toWorld(cloud.centre), cloud.radius * 1.08, direction, animate), [navigation, cloud, toWorld]);
  // The first cloud is framed from a little above and beside the first camera's side; later ones leave the eye where it is.
  const framed = useRef(false);
  useEffect(() => {
    if (framed.current || cloud.count === 0) return;
    framed.current = true;
    fit(new Vector3(0.35, 0.35, 1), false);
    redraw();
  }, [cloud, fit, redraw]);

  useEffect(() => mountViewer({
    fit: () => fit(),
    view: (from) => { setViewer({ lookThrough: undefined }); fit({ front: new Vector3(0, 0, 1), side: new Vector3(1, 0, 0), top: new Vector3(0, 1, 1e-3) }[from]); },
    screenshot: () => {
      renderAll();
      return new Promise((resolve, reject) => gl.domElement.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('the browser gave no picture of the view'))), 'image/png'));
    },
  }));

  // Looking through a camera takes the hand off; leaving it, one stands just behind it.
  useEffect(() => {
    navigation.enable(through === undefined);
    if (!through) return;
    const pose = new Matrix4().makeRotationFromQuaternion(upright).multiply(worldFromCamera(through));
    const position = new Vector3().setFromMatrixPosition(pose);
    const forward = new Vector3().setFromMatrixColumn(pose, 2);
    const away = Math.max(cloud.radius * 0.2, toWorld(cloud.centre).sub(position).dot(forward));
    // A step back, so that its own frustum does not fill the view.
    const back = cloud.radius * 0.35;
    navigation.stand(position.clone().addScaledVector(forward, -back), position.clone().addScaledVector(forward, away));
  }, [through, navigation, upright, cloud, toWorld]);

  const prepare = (): PerspectiveCamera => {
    const view = through ? eye : (camera as PerspectiveCamera);
    const distance = Math.max(navigation.distance(), cloud.radius * 0.1);
    const [near, far] = [cloud.radius * 0.002, cloud.radius * 200];
    if (through) {
      eye.matrixAutoUpdate = false;
      eye.matrix.makeRotationFromQuaternion(upright).multiply(worldFromCamera(through)).multiply(cameraFromThree);
      eye.matrixWorldNeedsUpdate = true;
      eye.updateMatrixWorld(true);
      eye.projectionMatrix.copy(projectionThrough(through, size, near, far));
      eye.projectionMatrixInverse.copy(eye.projectionMatrix).invert();
    } else if (view.near !== near) {
      Object.assign(view, { near, far });
      view.updateProjectionMatrix();
    }
    const { uniforms } = material;
    const set = (name: string, value: number): void => { uniforms[name]!.value = value; };
    set('size', settings.pointSize);
    set('scale', through ? cloud.radius : distance);
    set('pixelRatio', viewport.dpr);
    set('mode', modeNumber(settings.colour));
    set('minConfidence', settings.minConfidence);
    set('highestConfidence', cloud.highestConfidence);
    set('nearest', Math.max(cloud.radius * 0.05, distance - cloud.radius));
    set('farthest', distance + cloud.radius);
    set('chosenSource', cameras.findIndex(({ photo }) => photo === selected.at(-1)));
    if (cloud.normals !== (material.defines.WITH_NORMALS !== undefined)) {
      material.defines = cloud.normals ? { WITH_NORMALS: '' } : {};
      material.needsUpdate = true;
    }
    return view;
  };
  const draw = (view: PerspectiveCamera, from: number, to: number, clear: boolean): void => {
    points.forEach((part, k) => {
      const { start, count } = partOf(k, CHUNK, from, to);
      part.visible = count > 0;
      part.geometry.setDrawRange(start, count);
    });
    decor.current!.visible = clear;
    if (clear) gl.clear();
    gl.render(scene, view);
    decor.current!.visible = true;
  };
  const renderAll = (): void => {
    const view = prepare();
    draw(view, 0, Math.min(cloud.count, settings.pointBudget), true);
  };

  // A priority above zero takes the drawing over from react-three-fiber.
  useFrame((_, delta) => {
    const moved = through ? false : navigation.update(delta);
    const total = Math.min(cloud.count, settings.pointBudget);
    const { from, to, clear, complete } = budget.next(total, performance.now(), moved);
    if (to > from || clear) draw(prepare(), from, to, clear);
    if (!complete) invalidate();
    if (complete || clear) setStudio(({ statistics }) => (statistics.displayed === to && statistics.total === cloud.count ? {} : { statistics: { displayed: to, total: cloud.count } }));
  }, 1);

  useEffect(() => {
    const canvas = gl.domElement;
    const doubled = (event: MouseEvent): void => {
      const box = canvas.getBoundingClientRect();
      const [x, y] = [((event.clientX - box.left) / box.width) * 2 - 1, 1 - ((event.clientY - box.top) / box.height) * 2];
      const point = world.current && pickPoint(cloud.sample, world.current.matrixWorld, camera, x, y, box.width / box.height);
      if (point) navigation.pivot(toWorld(point));
    };
    canvas.addEventListener('dblclick', doubled);
    return () => canvas.removeEventListener('dblclick', doubled);
  }, [gl, camera, cloud, navigation, toWorld]);

  const floor = useMemo(() => toWorld(cloud.centre).y - cloud.radius * 0.5, [cloud, toWorld]);
  return (
    <>
      <group ref={world} quaternion={upright}>
        {points.map((part) => <primitive key={part.uuid} object={part} />)}
      </group>
      <group ref={decor}>
        <group quaternion={upright} visible={settings.cameras && !through}>
          {settings.cameras && !through && <Frusta cameras={cameras} depth={cloud.radius * settings.frustumSize} images={settings.images} selected={selected} colours={colours} onSelect={choose} onHover={onHover} onOpen={(photo) => setViewer({ lookThrough: photo })} onChange={redraw} />}
        </group>
        {settings.grid && <gridHelper args={[cloud.radius * 4, 40, colours.grid, colours.grid]} position={[toWorld(cloud.centre).x, floor, toWorld(cloud.centre).z]} />}
        {settings.axes && <axesHelper args={[cloud.radius * 0.4]} quaternion={upright} />}
      </group>
    </>
  );
}

import { build } from 'vite';
import { chromium } from 'playwright-core';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CatmullRomCurve3, Matrix4, Quaternion, Vector3 } from 'three';
import { chromiumPath } from '../../e2e/studio.js';

/** One frame of a walk. */
export interface Moment {
  /** x right, y down, z forward; row-major, in the mesh's world. */
  worldFromCamera: number[];
  /** Pixels. */
  focal: number;
  /** How far the picture moves while the frame is exposed, pixels, and the poses of that time (OpenGL's, column-major). */
  blur: number;
  exposure: number[][];
}

interface Node {
  camera?: number;
  matrix?: number[];
}

/** Poses that are averaged into a blurred frame. */
const STEPS = 4;
/** Share of a frame's time that it is exposed. */
const SHUTTER = 0.5;
/** GL's camera looks along -z with y up. */
const TURN = new Matrix4().makeScale(1, -1, -1);

/** A walk along the cameras of a mesh, held by a hand: every other second it shakes more. */
export function walk(glb: Buffer, count: number, width: number): Moment[] {
  const nodes = (JSON.parse(glb.toString('utf8', 20, 20 + glb.readUInt32LE(12))) as { nodes: Node[] }).nodes;
  const poses = nodes
    .filter(({ camera }) => camera !== undefined)
    .map(({ matrix }) => new Matrix4().fromArray(matrix!));
  const centres = new CatmullRomCurve3(poses.map((pose) => new Vector3().setFromMatrixPosition(pose)));
  const turns = poses.map((pose) => new Quaternion().setFromRotationMatrix(pose));
  const focal = 0.78 * width;
  const at = (time: number): Matrix4 => {
    const along = Math.min(0.9999, Math.max(0, time / (count - 1))) * (poses.length - 1);
    const k = Math.floor(along);
    const turn = turns[k]!.clone().slerp(turns[k + 1]!, along - k);
    // A hand's tremor: a degree at most, at frequencies that never meet.
    const strength = Math.floor(time / 30) % 2 === 0 ? 0.002 : 0.016;
    const shake = new Vector3(Math.sin(1.31 * time), Math.sin(1.73 * time + 1), 0.4 * Math.sin(1.07 * time + 2));
    turn.multiply(new Quaternion().setFromAxisAngle(shake.clone().normalize(), strength * shake.length()));
    return new Matrix4().compose(centres.getPoint(along / (poses.length - 1)), turn, new Vector3(1, 1, 1));
  };
  return Array.from({ length: count }, (_, k) => {
    const exposure = Array.from({ length: STEPS }, (_, s) => at(k + SHUTTER * (s / (STEPS - 1) - 0.5)));
    const [first, last] = [exposure[0]!, exposure[STEPS - 1]!].map((pose) =>
      new Quaternion().setFromRotationMatrix(pose),
    );
    return {
      worldFromCamera: at(k).multiply(TURN).transpose().toArray(),
      focal,
      blur: focal * first!.angleTo(last!),
      exposure: exposure.map((pose) => pose.toArray()),
    };
  });
}

/** Draws the mesh in a page. */
export async function openPainter(glb: Buffer, width: number, height: number) {
  const folder = mkdtempSync(join(tmpdir(), 'painter-'));
  writeFileSync(join(folder, 'page.ts'), page);
  const bundles = await build({
    root: folder,
    configFile: false,
    logLevel: 'error',
    resolve: { alias: { three: join(import.meta.dirname, '../../../node_modules/three') } },
    build: { write: false, lib: { entry: join(folder, 'page.ts'), formats: ['es'] } },
  });
  rmSync(folder, { recursive: true });
  const [bundle] = [bundles].flat() as { output: { code: string }[] }[];
  const script = bundle!.output[0]!.code;
  const browser = await chromium.launch({
    executablePath: chromiumPath!,
    args: ['--no-sandbox', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist'],
  });
  const tab = await browser.newPage();
  await tab.addScriptTag({ content: script, type: 'module' });
  await tab.waitForFunction(() => 'paint' in window);
  await tab.evaluate(([data, w, h]) => (window as never as Painter).load(data, w, h), [
    glb.toString('base64'),
    width,
    height,
  ] as const);
  return {
    paint: async ({ exposure, focal, blur }: Moment): Promise<Buffer> => {
      const poses = blur < 1 ? [exposure[STEPS >> 1]!] : exposure;
      const fov = (360 / Math.PI) * Math.atan(height / 2 / focal);
      return Buffer.from(
        await tab.evaluate(([p, f]) => (window as never as Painter).paint(p, f), [poses, fov] as const),
        'base64',
      );
    },
    close: () => browser.close(),
  };
}

interface Painter {
  load(base64: string, width: number, height: number): Promise<void>;
  paint(poses: number[][], fov: number): Promise<string>;
}

const page = `
import { Color, DoubleSide, LinearSRGBColorSpace, Matrix4, PerspectiveCamera, Scene, WebGLRenderer } from 'three';
import { GLTFLoader } from 'three/examples/jsm/loaders/GLTFLoader.js';
let renderer, scene, camera, canvas, context, width, height;
const bytes = (text) => Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
window.load = async (text, w, h) => {
  [width, height] = [w, h];
  // Without antialiasing: on a software renderer it made a frame four times as slow, and the codec smooths edges.
  renderer = new WebGLRenderer({ preserveDrawingBuffer: true });
  renderer.setSize(w, h, false);
  canvas = new OffscreenCanvas(w, h);
  context = canvas.getContext('2d');
  camera = new PerspectiveCamera(50, w / h, 0.02, 200);
  camera.matrixAutoUpdate = false;
  const { scene: loaded } = await new GLTFLoader().parseAsync(bytes(text).buffer, '');
  scene = new Scene();
  scene.background = new Color(0x9db8d8);
  scene.add(loaded);
};
window.paint = async (poses, fov) => {
  camera.fov = fov;
  camera.updateProjectionMatrix();
  for (const [k, pose] of poses.entries()) {
    camera.matrix.fromArray(pose);
    camera.matrixWorldNeedsUpdate = true;
    renderer.render(scene, camera);
    context.globalAlpha = 1 / (k + 1);
    context.drawImage(renderer.domElement, 0, 0);
  }
  const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.95 });
  const data = new Uint8Array(await blob.arrayBuffer());
  let text = '';
  for (let at = 0; at < data.length; at += 8192) text += String.fromCharCode(...data.subarray(at, at + 8192));
  return btoa(text);
};
`;

/**
 * From a lasso to the bytes of its stored mask, and back: what the page and the engine compute, without drawing.
 *
 *   node --import tsx test/bench/selection.ts [points, 10000000 if left out]
 */
import { tmpdir } from 'node:os';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PerspectiveCamera } from 'three';
import { encodeMask } from '../../electron/contract/mask.js';
import { Project } from '../../electron/project/project.js';
import {
  countSelected,
  deletedBits,
  maskOfSelection,
  prepareMasks,
  polygonShape,
  selectInside,
  setDeleted,
  type EditablePoints,
} from '../../renderer/viewer/cloud-state.js';
import { syntheticCloud } from '../renderer/viewer/synthetic.js';

const count = Number(process.argv[2] ?? 10_000_000);
const photos = 50;
const { positions, confidence } = syntheticCloud(count);
// Points are shuffled on their way to a viewer: neighbours in memory are of any photo and pixel.
const perPhoto = Math.ceil(count / photos);
const [width, height] = [Math.ceil(Math.sqrt(perPhoto * 1.4)), Math.ceil(Math.sqrt(perPhoto / 1.4)) + 1];
const map = { width, height, originalFromView: { scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0 } };
const points: EditablePoints = {
  positions,
  confidence,
  source: Uint16Array.from({ length: count }, (_, k) => k % photos),
  pixel: Uint32Array.from({ length: count }, (_, k) => (Math.floor(k / photos) * 7919) % perPhoto),
  colors: new Uint8Array(3 * count),
  maps: Array.from({ length: photos }, () => map),
  photos: Array.from({ length: photos }, (_, k) => `photo-${k}`),
  state: new Uint8Array(count),
};
const camera = new PerspectiveCamera(60, 1.6, 0.1, 100);
camera.position.set(0, 0, 14);
camera.updateMatrixWorld();
const { elements } = camera.projectionMatrix.clone().multiply(camera.matrixWorldInverse);
const folder = mkdtempSync(join(tmpdir(), 'selection-bench-'));
const project = Project.open(join(folder, 'bench.pointmap'), 'create');
const circle = Array.from({ length: 200 }, (_, k) => {
  const angle = (k / 200) * 2 * Math.PI;
  return [640 + 250 * Math.cos(angle), 400 + 200 * Math.sin(angle)] as const;
});

// As the page does while nothing else is to be done.
prepareMasks(points);
for (let round = 0; round < 3; round++) {
  const times: Record<string, number> = {};
  const timed = <T>(name: string, step: () => T): T => {
    // Processor time: other work on the machine does not count.
    const before = process.cpuUsage();
    const result = step();
    const { user, system } = process.cpuUsage(before);
    times[name] = Math.round((user + system) / 1000);
    return result;
  };
  timed('select', () => selectInside(points, elements, polygonShape(circle, 1280, 800), 1, 'replace'));
  const selected = timed('count', () => countSelected(points));
  const bytes = timed('mask', () => encodeMask(maskOfSelection(points)));
  const text = timed('to text', () => Buffer.from(bytes).toString('base64'));
  const mask = timed('store', () => project.putMask(new Uint8Array(Buffer.from(text, 'base64'))));
  const steps = [{ mask, mode: 'delete' as const, title: '' }];
  timed('hide', () => setDeleted(points, deletedBits(steps, new Map([[mask, bytes]]), points)));
  timed('undo', () => setDeleted(points, deletedBits([], new Map(), points)));
  console.log(
    `${selected} of ${count} points, mask ${bytes.length} bytes, processor milliseconds: ${JSON.stringify(times)}`,
  );
}
project.close();
rmSync(folder, { recursive: true, force: true });

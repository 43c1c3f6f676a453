import { expect, test } from 'vitest';
import { PerspectiveCamera } from 'three';
import { decodeCloud, encodeCloud } from '../../../electron/contract/cloud.js';
import { decodeMask, encodeMask } from '../../../electron/contract/mask.js';
import {
  colourTest,
  countSelected,
  deletedBits,
  hideSelected,
  invertSelection,
  maskOfSelection,
  originalPixel,
  pickIndex,
  polygonShape,
  selectInside,
  selectWhere,
  SELECTED,
  setDeleted,
  showHidden,
  strokeShape,
  type EditablePoints,
} from '../../../renderer/viewer/cloud-state.js';

/** A grid of points before a camera that looks along -z, one to each pixel of a map of 40 by 30. */
function grid(): { points: EditablePoints; matrix: number[] } {
  const camera = new PerspectiveCamera(90, 4 / 3, 0.1, 100);
  camera.updateMatrixWorld();
  const positions = new Float32Array(3 * 1200);
  for (let k = 0; k < 1200; k++)
    positions.set([((k % 40) + 0.5 - 20) / 15, -(Math.floor(k / 40) + 0.5 - 15) / 15, -1], 3 * k);
  const map = { width: 40, height: 30, originalFromView: { scaleX: 2, scaleY: 2, offsetX: 0.5, offsetY: 0.5 } };
  return {
    points: {
      positions,
      confidence: Float32Array.from({ length: 1200 }, (_, k) => 1 + k / 1200),
      source: new Uint16Array(1200),
      pixel: Uint32Array.from({ length: 1200 }, (_, k) => k),
      colors: Uint8Array.from({ length: 3600 }, (_, k) => (Math.floor(k / 3) % 3 === k % 3 ? 200 : 20)),
      maps: [map],
      photos: ['a'],
      state: new Uint8Array(1200),
    },
    matrix: camera.projectionMatrix.clone().multiply(camera.matrixWorldInverse).elements,
  };
}
const selected = ({ state }: EditablePoints): number[] => [...state.keys()].filter((k) => (state[k]! & SELECTED) !== 0);

test('a polygon selects what is seen inside it; adding, taking away, inverting', () => {
  const { points, matrix } = grid();
  // The picture is 400 by 300: ten pixels a point.
  const box = (x: number, y: number, w: number, h: number) =>
    polygonShape(
      [
        [x, y],
        [x + w, y],
        [x + w, y + h],
        [x, y + h],
      ],
      400,
      300,
    );
  expect(selectInside(points, matrix, box(100, 100, 50, 20), 1, 'replace')).toBe(10);
  expect(selected(points)).toEqual([410, 411, 412, 413, 414, 450, 451, 452, 453, 454]);
  expect(selectInside(points, matrix, box(0, 0, 10, 10), 1, 'add')).toBe(11);
  expect(countSelected(points)).toBe(11);
  expect(selectInside(points, matrix, box(100, 100, 400, 10), 1, 'remove')).toBe(6);
  expect(selected(points)).toEqual([0, 450, 451, 452, 453, 454]);
  invertSelection(points, 1);
  expect(countSelected(points)).toBe(1194);
  // What is hidden by the threshold is not selected.
  selectInside(points, matrix, box(0, 0, 400, 300), 1.5, 'replace');
  expect(countSelected(points)).toBe(600);
  selectInside(
    points,
    matrix,
    strokeShape(
      [
        [200, 150],
        [240, 150],
      ],
      8,
      400,
      300,
    ),
    1,
    'replace',
  );
  expect(selected(points).every((k) => k % 40 >= 19 && k % 40 <= 24)).toBe(true);
  expect(countSelected(points)).toBeGreaterThan(5);
});

test('a selection becomes a mask that deletes the same points, and an undone step brings them back', () => {
  const { points, matrix } = grid();
  selectWhere(points, (k) => k % 40 < 3);
  const bytes = encodeMask(maskOfSelection(points));
  const masks = new Map([['m', bytes]]);
  setDeleted(points, deletedBits([{ mask: 'm', mode: 'delete', title: '' }], masks, points));
  expect([...points.state.keys()].filter((k) => points.state[k] === 1)).toEqual(
    [...points.state.keys()].filter((k) => k % 40 < 3),
  );
  expect(countSelected(points)).toBe(0);
  // Deleted points are neither picked nor selected.
  expect(pickIndex(points, matrix, { x: 15, y: 15, width: 400, height: 300 }, 1)).toBe(-1);
  selectInside(
    points,
    matrix,
    polygonShape(
      [
        [0, 0],
        [50, 0],
        [50, 300],
        [0, 300],
      ],
      400,
      300,
    ),
    1,
    'replace',
  );
  expect(selected(points).every((k) => k % 40 >= 3)).toBe(true);
  setDeleted(points, deletedBits([], masks, points));
  expect(points.state.every((state) => state !== 1)).toBe(true);
  expect(decodeMask(bytes)[0]!.photo).toBe('a');
});

test('a picked point is a pixel of the original photo', () => {
  const { points, matrix } = grid();
  const found = pickIndex(points, matrix, { x: 105, y: 55, width: 400, height: 300 }, 1);
  expect(found).toBe(5 * 40 + 10);
  expect(originalPixel(points, found)).toEqual({ photo: 'a', x: 20.5, y: 10.5 });
});

test('pixels and maps travel with the cloud', () => {
  const { points } = grid();
  const bytes = encodeCloud({ ...points, colors: new Uint8Array(3600) }, points.maps);
  const back = decodeCloud(bytes.buffer as ArrayBuffer);
  expect(back.maps).toEqual(points.maps);
  expect([...back.pixel!].sort((a, b) => a - b)).toEqual([...points.pixel]);
  for (let k = 0; k < 1200; k += 97) expect(back.confidence[k]).toBe(points.confidence[back.pixel![k]!]);
});

test('a colour selects what is near to it', () => {
  const { points } = grid();
  selectWhere(points, colourTest(points, [205, 25, 15], 30));
  expect(selected(points)).toEqual(Array.from({ length: 400 }, (_, k) => 3 * k));
  selectWhere(points, colourTest(points, [205, 25, 15], 3));
  expect(countSelected(points)).toBe(0);
});

test('what is hidden is neither selected nor picked, until it is shown again', () => {
  const { points, matrix } = grid();
  selectWhere(points, (n) => n < 300);
  hideSelected(points);
  expect(countSelected(points)).toBe(0);
  selectWhere(points, () => true);
  expect(selected(points)[0]).toBe(300);
  invertSelection(points, 1);
  expect(countSelected(points)).toBe(0);
  expect(pickIndex(points, matrix, { x: 105, y: 55, width: 400, height: 300 }, 1)).toBe(-1);
  // Deletions come and go beside it.
  setDeleted(points, new Map());
  showHidden(points);
  selectWhere(points, () => true);
  expect(countSelected(points)).toBe(points.state.length);
});

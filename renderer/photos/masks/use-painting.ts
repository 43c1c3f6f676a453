import { useEffect, useRef, useState, type PointerEvent } from 'react';
import type { PhotoInfo } from '../../../electron/contract/api.js';
import { api } from '../../transport/index.js';
import { brushStroke, fillPolygon, floodColour, paintRuns, wholeMask, type PaintedMask, type Point } from './paint.js';

/** Masks are painted at this long side: finer than the pictures that depth is computed on. */
const SIDE = 1000;
const MOST_STEPS = 50;

export interface Painting {
  /** `object`: a click or a box is answered by an installed network. */
  tool: 'brush' | 'polygon' | 'flood' | 'object';
  /** 0 hides, 1 uses. */
  value: 0 | 1;
  /** Of the brush, and the tolerance of the flood, 0 to 255. */
  radius: number;
  tolerance: number;
}

interface Sheet {
  mask: PaintedMask;
  photo: ImageData;
  before: Uint8Array[];
  corners: Point[];
  last?: Point | undefined;
  /** Corners of a box that is being dragged. */
  box?: [Point, Point] | undefined;
}

/** The photo with its mask on a canvas, painted on by the pointer. */
export function usePainting(photo: PhotoInfo, painting: Painting) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const sheet = useRef<Sheet>(undefined);
  const [steps, setSteps] = useState(0);
  const [trouble, setTrouble] = useState<string>();
  // The photo is told anew with every change of the project: what was painted so far must outlast that.
  const { id, width, height, masked } = photo;
  useEffect(() => {
    let current = true;
    void openSheet({ id, width, height, masked }).then((opened) => {
      if (!current || !canvas.current) return;
      sheet.current = opened;
      draw(canvas.current, opened);
    });
    return () => {
      current = false;
    };
  }, [id, width, height, masked]);

  const change = (action: (open: Sheet) => void): void => {
    const open = sheet.current;
    if (!open || !canvas.current) return;
    action(open);
    setSteps(open.before.length);
    draw(canvas.current, open);
  };
  const at = (event: PointerEvent<HTMLCanvasElement>): Point => {
    const { left, top, width, height } = event.currentTarget.getBoundingClientRect();
    const element = event.currentTarget;
    return [
      ((event.clientX - left) / width) * element.width - 0.5,
      ((event.clientY - top) / height) * element.height - 0.5,
    ];
  };
  return {
    canvas,
    steps,
    trouble,
    mask: () => sheet.current?.mask,
    all: (value: 0 | 1) =>
      change((open) => {
        step(open);
        open.mask.keep.fill(value);
      }),
    undo: () =>
      change((open) => {
        const before = open.before.pop();
        if (before) open.mask.keep.set(before);
      }),
    handlers: {
      onPointerDown: (event: PointerEvent<HTMLCanvasElement>) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        const place = at(event);
        if (painting.tool === 'object') change((open) => (open.box = [place, place]));
        else change((open) => press(open, place, painting));
      },
      onPointerMove: (event: PointerEvent<HTMLCanvasElement>) => {
        const place = at(event);
        if (sheet.current?.box) change((open) => (open.box = [open.box![0], place]));
        else if (sheet.current?.last) change((open) => drag(open, place, painting));
      },
      onPointerUp: () => {
        const open = sheet.current;
        if (!open) return;
        open.last = undefined;
        const box = open.box;
        if (!box) return;
        change(() => (open.box = undefined));
        setTrouble(undefined);
        findObject(id, open.mask, box).then(
          (found) => {
            if (sheet.current !== open) return;
            change(() => {
              step(open);
              paintRuns(open.mask, found, painting.value);
            });
          },
          // A notice would lie behind the dialog.
          (error: unknown) => setTrouble((error as Error).message),
        );
      },
      onDoubleClick: () =>
        change((open) => {
          if (painting.tool !== 'polygon') return;
          step(open);
          fillPolygon(open.mask, open.corners, painting.value);
          open.corners = [];
        }),
    },
  };
}

/** What undo goes back to. */
function step({ before, mask }: Sheet): void {
  if (before.length === MOST_STEPS) before.shift();
  before.push(mask.keep.slice());
}

function press(open: Sheet, place: Point, painting: Painting): void {
  if (painting.tool === 'polygon') {
    open.corners.push(place);
    return;
  }
  step(open);
  if (painting.tool === 'flood') floodColour(open.mask, open.photo.data, place, painting.tolerance, painting.value);
  else {
    brushStroke(open.mask, place, place, painting.radius, painting.value);
    open.last = place;
  }
}

/** A box smaller than this, pixels of the mask, is a click. */
const CLICK = 6;

/** What a click or a box means. */
async function findObject(
  photo: string,
  { width, height }: PaintedMask,
  [[x0, y0], [x1, y1]]: [Point, Point],
): Promise<readonly number[]> {
  const isClick = Math.hypot(x1 - x0, y1 - y0) < CLICK;
  const question = isClick ? { points: [{ x: x0, y: y0, isObject: true }] } : { points: [], box: { x0, y0, x1, y1 } };
  return (await api.request('photos.segment', { photo, width, height, ...question })).runs;
}

function drag(open: Sheet, place: Point, { radius, value }: Painting): void {
  brushStroke(open.mask, open.last!, place, radius, value);
  open.last = place;
}

async function picture(url: string, width: number, height: number): Promise<ImageData> {
  const answer = await fetch(url);
  const bitmap = await createImageBitmap(await answer.blob());
  const surface = new OffscreenCanvas(width, height).getContext('2d')!;
  surface.drawImage(bitmap, 0, 0, width, height);
  return surface.getImageData(0, 0, width, height);
}

async function openSheet({
  id,
  width,
  height,
  masked,
}: Pick<PhotoInfo, 'id' | 'width' | 'height' | 'masked'>): Promise<Sheet> {
  const ratio = Math.min(1, SIDE / Math.max(width, height));
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  const painted = wholeMask(w, h);
  if (masked) {
    const { data } = await picture(api.binaryUrl(`photo-mask/${id}`), w, h);
    for (let p = 0; p < painted.keep.length; p++) painted.keep[p] = data[4 * p]! >= 128 ? 1 : 0;
  }
  return { mask: painted, photo: await picture(api.binaryUrl(`photo/${id}`), w, h), before: [], corners: [] };
}

/** Hidden pixels are dark red; the corners of an open polygon are joined. */
function draw(canvas: HTMLCanvasElement, { mask, photo, corners, box }: Sheet): void {
  const { width, height, keep } = mask;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const shown = new ImageData(new Uint8ClampedArray(photo.data), width, height);
  for (let p = 0; p < keep.length; p++) {
    if (keep[p]) continue;
    shown.data[4 * p] = 120 + shown.data[4 * p]! / 3;
    shown.data[4 * p + 1]! /= 3;
    shown.data[4 * p + 2]! /= 3;
  }
  const surface = canvas.getContext('2d')!;
  surface.putImageData(shown, 0, 0);
  surface.strokeStyle = '#fff';
  surface.lineWidth = 2;
  if (box) surface.strokeRect(box[0][0], box[0][1], box[1][0] - box[0][0], box[1][1] - box[0][1]);
  if (corners.length === 0) return;
  surface.beginPath();
  for (const [x, y] of corners) surface.lineTo(x, y);
  surface.stroke();
}

import type { PairInfo } from '../../electron/contract/api.js';
import { pairLook, samePair } from './strength.js';

export interface Cell {
  row: number;
  column: number;
}

/** Room for the names on the left and on top, pixels. */
export const MARGIN = 72;
/** Names need squares of at least this side, pixels; smaller ones name every so many. */
const NAME_STEP = 12;

export interface MatrixDrawing {
  count: number;
  names: readonly string[];
  at: ReadonlyMap<number, PairInfo>;
  side: number;
  size: { width: number; height: number };
  scroll: { x: number; y: number };
  cell: Cell;
  chosen: readonly [string, string] | undefined;
}

/** Draws what is in sight of the matrix: squares first, then the names over them. */
export function drawMatrix(canvas: HTMLCanvasElement, drawing: MatrixDrawing): void {
  const { size, side, scroll, count } = drawing;
  canvas.width = size.width * devicePixelRatio;
  canvas.height = size.height * devicePixelRatio;
  canvas.style.width = `${size.width}px`;
  canvas.style.height = `${size.height}px`;
  const context = canvas.getContext('2d')!;
  context.scale(devicePixelRatio, devicePixelRatio);
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(`--${name}`);
  const range = (offset: number, room: number): [number, number] => [
    Math.max(0, Math.floor(offset / side)),
    Math.min(count, Math.ceil((offset + room - MARGIN) / side)),
  ];
  const sight = { rows: range(scroll.y, size.height), columns: range(scroll.x, size.width) };
  drawSquares(context, drawing, sight, colour);
  drawNames(context, drawing, sight, colour);
}

interface Sight {
  rows: [number, number];
  columns: [number, number];
}

function drawSquares(
  context: CanvasRenderingContext2D,
  { count, at, side, scroll, cell, chosen }: MatrixDrawing,
  { rows, columns }: Sight,
  colour: (name: string) => string,
): void {
  const colours = {
    good: colour('good'),
    fair: colour('fair'),
    bad: colour('bad'),
    none: colour('line-strong'),
    ground: colour('raised'),
  };
  const frame = (row: number, column: number, tone: string): void => {
    context.globalAlpha = 1;
    context.strokeStyle = tone;
    context.lineWidth = 2;
    context.strokeRect(MARGIN + column * side - scroll.x, MARGIN + row * side - scroll.y, side - 1, side - 1);
  };
  const gap = side > 5 ? 1 : 0;
  const framed: [number, number][] = [];
  for (let row = rows[0]; row < rows[1]; row++)
    for (let column = columns[0]; column < columns[1]; column++) {
      const pair = at.get(row * count + column);
      context.fillStyle = pair ? colours[pairLook(pair).tone] : colours.ground;
      context.globalAlpha = !pair || (pair.state === 'observed' && pair.enabled) ? 1 : 0.45;
      context.fillRect(MARGIN + column * side - scroll.x, MARGIN + row * side - scroll.y, side - gap, side - gap);
      if (pair && samePair(pair, chosen)) framed.push([row, column]);
    }
  for (const [row, column] of framed) frame(row, column, colour('accent'));
  frame(cell.row, cell.column, colour('text'));
}

function drawNames(
  context: CanvasRenderingContext2D,
  { names, side, size, scroll }: MatrixDrawing,
  { rows, columns }: Sight,
  colour: (name: string) => string,
): void {
  context.globalAlpha = 1;
  context.fillStyle = colour('panel');
  context.fillRect(0, 0, MARGIN, size.height);
  context.fillRect(0, 0, size.width, MARGIN);
  context.fillStyle = colour('text-quiet');
  context.font = '10.5px system-ui, sans-serif';
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  const every = Math.max(1, Math.ceil(NAME_STEP / side));
  const first = (from: number): number => Math.ceil(from / every) * every;
  // The end of a name is what differs.
  const text = (k: number): string => names[k]!.slice(-11);
  for (let row = first(rows[0]); row < rows[1]; row += every) {
    const y = MARGIN + (row + 0.5) * side - scroll.y;
    if (y > MARGIN - 2) context.fillText(text(row), MARGIN - 5, y);
  }
  context.textAlign = 'left';
  for (let column = first(columns[0]); column < columns[1]; column += every) {
    const x = MARGIN + (column + 0.5) * side - scroll.x;
    if (x < MARGIN - 2) continue;
    context.save();
    context.translate(x, MARGIN - 5);
    context.rotate(-Math.PI / 2);
    context.fillText(text(column), 0, 0);
    context.restore();
  }
  context.fillStyle = colour('panel');
  context.fillRect(0, 0, MARGIN, MARGIN);
}

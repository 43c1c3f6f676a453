import { dims, type Grid } from '../onnx/dense-maps.js';
import type { Value } from '../onnx/graph.js';
import type { Layers } from '../onnx/layers.js';

/** What is added is this much of a sine or cosine. */
const strength = 0.1;
const base = 100;

/**
 * Adds to a map [batch, channels, rows, columns] where each of its pixels lies in the image: the first half of the
 * channels by column, the second by row, each half sines and then cosines of u * base^(-k / (channels / 4)); u runs over
 * the map's pixel centres, the image's diagonal being 2 long.
 *
 * @param grid the image's tokens, whose ratio is that of its sides
 */
export function withPositions(layers: Layers, map: Value, channels: number, grid: Grid): Value {
  const { graph } = layers;
  const sides = graph.node('Shape', [map]);
  const side = (axis: number) => graph.node('Gather', [sides, graph.int(axis)]);
  const float = (value: Value) => graph.node('Cast', [value], { attributes: { to: 1 } });
  const [rows, columns] = [float(grid.rows), float(grid.columns)];
  const square = (value: Value) => graph.node('Mul', [value, value]);
  const diagonal = graph.node('Sqrt', [layers.add(square(rows), square(columns))]);
  const quarter = channels / 4;
  const frequencies = graph.floats(
    Array.from({ length: quarter }, (_, k) => base ** (-k / quarter)),
    [quarter, 1],
  );
  /** [channels / 2, length] along one axis. */
  const along = (length: Value, extent: Value): Value => {
    const index = graph.node('Range', [graph.int(0), length, graph.int(1)]);
    const last = graph.node('Sub', [length, graph.int(1)]);
    const centred = float(graph.node('Sub', [graph.node('Mul', [index, graph.int(2)]), last]));
    const span = graph.node('Div', [extent, diagonal]);
    const place = graph.node('Div', [graph.node('Mul', [centred, span]), float(length)]);
    const angle = graph.node('Mul', [frequencies, graph.node('Unsqueeze', [place, graph.ints([0])])]);
    const waves = graph.node('Concat', [graph.node('Sin', [angle]), graph.node('Cos', [angle])], {
      attributes: { axis: 0 },
    });
    return graph.node('Mul', [waves, graph.floats([strength], [])]);
  };
  const none = (length: Value) => graph.node('ConstantOfShape', [dims(layers, [channels / 2, length])]);
  const [height, width] = [side(2), side(3)];
  const stacked = (parts: Value[]) => graph.node('Concat', parts, { attributes: { axis: 0 } });
  const byColumn = graph.node('Unsqueeze', [stacked([along(width, columns), none(width)]), graph.ints([0, 2])]);
  const byRow = graph.node('Unsqueeze', [stacked([none(height), along(height, rows)]), graph.ints([0, 3])]);
  return layers.add(layers.add(map, layers.enter(byColumn)), layers.enter(byRow));
}

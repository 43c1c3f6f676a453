import type { Result } from '../../electron/contract/api.js';
import type { FrameInfo, Measurement } from '../../electron/contract/scene.js';
import { figuresText } from '../design/format.js';

function unitOf(kind: Measurement['kind'], frame: FrameInfo): string {
  if (kind === 'angle') return '°';
  if (frame.unit !== 'metre') return '';
  return kind === 'area' ? ' m²' : ' m';
}

/** "4.213 ± 0.004 m" */
export function valueText(
  kind: Measurement['kind'],
  { value, deviation }: Pick<Result<'scene.measure'>, 'value' | 'deviation'>,
  frame: FrameInfo,
): string {
  return `${figuresText(value, 4)} ± ${figuresText(deviation, 1)}${unitOf(kind, frame)}`;
}

import type { PhotoInfo } from '../../electron/contract/api.js';
import type { PhotoMaps } from '../../electron/contract/photo-maps.js';
import { confidenceText, fixedText, lengthText } from '../design/format.js';
import { useStudio } from '../store/studio.js';
import { originalPixelOf } from '../viewer/cloud-state.js';
import { t } from '../words/index.js';

/** What the maps say of the pixel under the pointer; without one, what the whole photo's depths run over. */
export function DepthValues({
  photo,
  maps,
  at,
}: {
  photo: PhotoInfo;
  maps: PhotoMaps;
  at: { x: number; y: number } | undefined;
}) {
  const scene = useStudio(({ project }) => project?.scene);
  const frame = scene?.frames[photo.component ?? 0];
  const length = (depth: number): string =>
    `${lengthText(depth * (frame?.scale ?? 1))}${frame?.unit === 'metre' ? ' m' : ''}`;
  const [near, far] = maps.range;
  if (!at)
    return (
      <p className="depth-values numeric quiet">
        {t('Depth, {least} to {most}', { least: length(near), most: length(far) })}
      </p>
    );
  return (
    <p className="depth-values numeric">
      {valuesAt(maps, at, length, scene?.confidence)
        .filter((text) => text !== '')
        .join(' · ')}
    </p>
  );
}

function valuesAt(
  { width, height, depth, confidence, normals, inferred, originalFromView }: PhotoMaps,
  at: { x: number; y: number },
  length: (depth: number) => string,
  scale: readonly number[] | undefined,
): string[] {
  const column = Math.min(width - 1, Math.max(0, Math.floor(at.x * width)));
  const row = Math.min(height - 1, Math.max(0, Math.floor(at.y * height)));
  const k = row * width + column;
  const original = originalFromView && originalPixelOf(originalFromView, column, row);
  const pixel = original ? t('Pixel {x}, {y}', { x: fixedText(original.x, 0), y: fixedText(original.y, 0) }) : '';
  if (!(depth[k]! > 0)) return [pixel, t('no depth')];
  const away = normals && (Math.acos(Math.min(1, Math.max(-1, -normals[3 * k + 2]! / 127))) * 180) / Math.PI;
  const turned = normals && normals.subarray(3 * k, 3 * k + 3).some((value) => value !== 0);
  return [
    pixel,
    t('Depth {value}', { value: length(depth[k]!) }),
    t('Confidence {value}', { value: confidenceText(confidence[k]!, scale) }),
    turned ? t('turned away {n}°', { n: fixedText(away!, 0) }) : '',
    inferred?.[k] === 1 ? t('completed, not measured') : '',
  ];
}

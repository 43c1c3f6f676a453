import type { CameraInfo } from '../../electron/contract/api.js';
import { fixedText, focalText } from '../design/format.js';
import { choose } from '../store/selection.js';
import { useStudio } from '../store/studio.js';
import { t } from '../words/index.js';

interface Group {
  key: string;
  cameras: CameraInfo[];
}

/** Photos that share a lens, with what was solved for it. */
export function Calibration() {
  const cameras = useStudio(({ project }) => project?.scene?.cameras);
  const photos = useStudio(({ project }) => project?.photos);
  if (!cameras || cameras.length === 0) return null;
  const errors = new Map(photos?.map(({ id, reprojection }) => [id, reprojection]));
  const groups = new Map<string, Group>();
  for (const camera of cameras) {
    const key = [camera.width, camera.height, camera.fx.toFixed(2), camera.k1.toFixed(5)].join(' ');
    const group = groups.get(key) ?? { key, cameras: [] };
    group.cameras.push(camera);
    groups.set(key, group);
  }
  return (
    <details className="beside">
      <summary>{t('Calibration by camera')}</summary>
      <table className="calibration numeric">
        <thead>
          <tr>
            <th>{t('Photos')}</th>
            <th>{t('Size')}</th>
            <th>{t('Focal, px')}</th>
            <th>{t('k1')}</th>
            <th>{t('Error, px')}</th>
            <th>{t('From')}</th>
          </tr>
        </thead>
        <tbody>
          {[...groups.values()].map(({ key, cameras: [first, ...rest] }) => (
            <tr
              key={key}
              onClick={() => choose(first!.photo, {})}
            >
              <td>{1 + rest.length}</td>
              <td>
                {first!.width} × {first!.height}
              </td>
              <td>{fixedText(first!.fx, 1)}</td>
              <td>{fixedText(first!.k1, 4)}</td>
              <td>{meanError(errors, [first!, ...rest])}</td>
              <td>{focalText(first!.focalSource)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

/** Of the photos' reprojection errors; a dash where none is known. */
function meanError(errors: ReadonlyMap<string, number | undefined>, cameras: readonly CameraInfo[]): string {
  const known = cameras.flatMap(({ photo }) => errors.get(photo) ?? []);
  return known.length === 0 ? '–' : fixedText(known.reduce((sum, each) => sum + each, 0) / known.length, 2);
}

import type { Command } from 'commander';
import { report } from '../engine/report.js';
import { Workspace } from '../engine/workspace.js';
import { answer } from './output.js';

export function addInfo(program: Command): void {
  program
    .command('info')
    .description('what a project holds')
    .argument('<project>', 'a .pointmap file')
    .option('--json', 'print it as one line')
    .action(async (path: string, { json }: { json?: boolean }) => {
      const workspace = Workspace.openToRead(path);
      try {
        const { photos, pairs, settings, stale } = workspace.state({ state: 'idle' });
        const result =
          workspace.alignment && (await report(workspace, workspace.alignment, { computed: 0, cpuSeconds: {} }));
        const observed = pairs.filter(({ state }) => state === 'observed').length;
        const missing = photos.filter((photo) => photo.missing);
        answer(
          json,
          {
            path: workspace.path,
            photos: photos.length,
            missing: missing.length,
            pairs: pairs.length,
            observed,
            settings,
            stale,
            result: result && { ...result, points: undefined },
          },
          [
            workspace.path,
            `${photos.length} photos, ${pairs.length} pairs planned, ${observed} observed; estimator ${settings.estimator}, graph ${settings.graph}`,
            ...missing.map((photo) => `missing: ${photo.path}`),
            ...photos.filter((photo) => photo.blurred).map((photo) => `blurred: ${photo.name}`),
            result
              ? `aligned: ${result.registered} of ${result.photos} photos${stale ? '; settings or photos have changed since' : ''}`
              : 'not aligned yet',
            ...(result?.components.slice(1).map((names) => `a separate component: ${names.join(', ')}`) ?? []),
            ...(result?.unplaced.map(({ name, reason }) => `not placed: ${name}: ${reason}`) ?? []),
          ],
        );
      } finally {
        workspace.close();
      }
    });
}

import { join } from 'node:path';
import { Engine } from '../../electron/engine/engine.js';
import { roomEstimator, roomPhotos } from '../fixtures/room-estimator.js';
import type { Studio } from './studio.js';

/** A reconstructed project of a small synthetic room, opened in the studio as a person opens one. */
export async function openRoom({ page, folder }: Studio): Promise<void> {
  await reconstructRoom(folder);
  await page.keyboard.press('Control+o');
  const dialog = page.getByRole('dialog', { name: 'Open project' });
  await dialog.getByLabel('Folder', { exact: true }).fill(folder);
  await dialog.getByRole('button', { name: 'Go' }).click();
  await dialog.getByRole('button', { name: /^room\.pointmap/ }).click();
  await dialog.getByRole('button', { name: 'Open', exact: true }).click();
  await page.locator('.photo-row').nth(3).waitFor();
}

async function reconstructRoom(folder: string): Promise<void> {
  const photos = await roomPhotos(folder, 4);
  const engine = new Engine({
    dataFolder: join(folder, 'room data'),
    threads: 1,
    estimators: [() => [roomEstimator()]],
  });
  await engine.request('project.create', { path: join(folder, 'room.pointmap') });
  await engine.request('photos.add', { paths: [photos] });
  const settings = { estimator: 'room', graph: 'complete' };
  await engine.request('edit.apply', { edit: { kind: 'settings', settings } });
  await engine.request('run.start', {});
  await engine.settled();
  await engine.request('edit.apply', { edit: { kind: 'settings', settings: { estimator: 'geometric' } } });
  await engine.close();
}

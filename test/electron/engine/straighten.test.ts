import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { fisheyeNote, foundFisheyes, laterFisheyes, straighten } from '../../../electron/engine/straighten.js';
import { emptySparseModel } from '../../../electron/geometry/sparse-model.js';
import { importPhotos } from '../../../electron/photos/import.js';
import { Project } from '../../../electron/project/project.js';

const folder = mkdtempSync(join(tmpdir(), 'straighten-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function photo(name: string, shade: number): Promise<string> {
  const path = join(folder, name);
  const pixels = Buffer.from(Array.from({ length: 3 * 160 * 120 }, (_, k) => (k * shade) % 256));
  await sharp(pixels, { raw: { width: 160, height: 120, channels: 3 } })
    .withExif({ IFD0: { Make: 'Action', Model: 'Hero' } })
    .jpeg()
    .toFile(path);
  return path;
}

describe('photos of a lens that turns out to be a fisheye', () => {
  it('are straightened, and so is one that joins them later', async () => {
    const project = Project.open(join(folder, 'fish.pointmap'), 'create');
    try {
      project.addPhotos((await importPhotos([await photo('a.jpg', 7), await photo('b.jpg', 11)], new Map())).imported);
      const photos = project.photos();
      const fisheye = { focal: 0.48, k1: 0.02, k2: 0, cx: 0.01, cy: 0 };
      const empty = emptySparseModel(photos.map(({ id }) => id));
      expect(foundFisheyes(photos, { ...empty, lenses: [{ key: '', focal: 1, k1: 0, related: 1 }] })).toEqual([]);
      const found = foundFisheyes(photos, { ...empty, lenses: [{ key: '', focal: 1, k1: 0, related: 1, fisheye }] });
      expect(found.map(({ camera }) => camera)).toMatchObject([{ fx: 0.48 * 160, cx: 79.5 + 1.6, cy: 59.5 }, {}]);
      expect(fisheyeNote(found)).toMatch(/^a\.jpg, b\.jpg: taken with a fisheye, some 119 degrees across; /);

      const notes: string[] = [];
      const options = { cache: join(folder, 'views'), note: (line: string) => void notes.push(line) };
      expect(laterFisheyes(project.photos())).toEqual([]);
      await straighten(project, found, options);
      const after = project.photos();
      expect(after.filter(({ enabled, face }) => enabled && !face)).toEqual([]);
      expect(new Set(after.flatMap(({ face }) => face?.picture ?? []))).toEqual(new Set(['a.jpg', 'b.jpg']));
      expect(laterFisheyes(after)).toEqual([]);
      const faces = after.filter(({ face }) => face);
      const ofFaces = emptySparseModel(faces.map(({ id }) => id));
      expect(foundFisheyes(faces, { ...ofFaces, lenses: [{ key: '', focal: 1, k1: 0, related: 1, fisheye }] })).toEqual(
        [],
      );

      project.addPhotos((await importPhotos([await photo('c.jpg', 13)], new Map())).imported);
      const later = laterFisheyes(project.photos());
      expect(later.map(({ photo: each }) => each.name)).toEqual(['c.jpg']);
      expect(later[0]!.camera).toMatchObject({ kind: 'fisheye', fx: 0.48 * 160 });
    } finally {
      project.close();
    }
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readControlFile } from '../../../electron/engine/control-file.js';
import { photoNamed } from '../../../electron/engine/named-photo.js';

/** As a project names the photos of two days, whose cameras count from one each. */
const photos = [
  { id: 'a', name: 'IMG 1.jpg', path: '/data/day one/IMG 1.jpg' },
  { id: 'b', name: 'IMG 1-2.jpg', path: '/data/zwei 二/IMG 1.jpg' },
  { id: 'c', name: 'IMG 2.jpg', path: '/data/day one/IMG 2.jpg' },
  { id: 'd', name: 'IMG 3.jpg', path: '/data/day one/IMG 3.jpg' },
  { id: 'e', name: 'IMG 3.png', path: '/data/day one/IMG 3.png' },
];

describe('the photo that is meant', () => {
  test.each([
    ['IMG 1.jpg', 'a'],
    ['IMG 1-2.jpg', 'b'],
    ['/data/zwei 二/IMG 1.jpg', 'b'],
    ['zwei 二/IMG 1.jpg', 'b'],
    ['./zwei 二/IMG 1.jpg', 'b'],
    ['zwei 二\\IMG 1.jpg', 'b'],
    ['day one/IMG 1.jpg', 'a'],
    ['C:\\elsewhere\\IMG 2.jpg', 'c'],
    ['IMG 2', 'c'],
    ['IMG 2.tif', 'c'],
    ['IMG 3.png', 'e'],
  ])('%s', (name, id) => expect(photoNamed(name, photos)).toBe(id));

  test('none where two may be, or none is', () => {
    // It was the first one, silently.
    expect(() => photoNamed('elsewhere/IMG 1.jpg', photos)).toThrow(
      '2 photos may be meant; write the name in the project, as IMG 1.jpg or IMG 1-2.jpg: elsewhere/IMG 1.jpg',
    );
    expect(() => photoNamed('IMG 3', photos)).toThrow('2 photos may be meant');
    expect(() => photoNamed('IMG 9.jpg', photos)).toThrow('no photo of this name in the project: IMG 9.jpg');
    expect(() => photoNamed('', photos)).toThrow('no photo');
  });
});

describe('a table of control points', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pointmap-control-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const read = (text: string) => {
    const path = join(folder, 'points.csv');
    writeFileSync(path, text);
    return readControlFile(path, (name) => photoNamed(name, photos));
  };
  const row = (name: string, x: number, photo = 'IMG 1.jpg'): string => `${name},${x},2,${x * x},${photo},10,20`;
  const head = '# surveyed in June; by two\n\nname,x,y,z,photo,px,py\n';

  test('comments, empty rows and a point in two photos', () => {
    const { points } = read(
      `${head}${row('p', 1)}\n${row('p', 1, 'zwei 二/IMG 1.jpg')}\n\n${row('q', 2)}\n# end\n${row('r', 3)}\n`,
    );
    expect(points.map(({ name, at }) => [name, at.photo, at.others?.map(({ photo }) => photo)])).toEqual([
      ['p', 'a', ['b']],
      ['q', 'a', undefined],
      ['r', 'a', undefined],
    ]);
  });

  test.each([
    ['q,1,2,,IMG 1.jpg,1,2', "'' in the column z is no number"],
    ['q,1,2,3,IMG 1.jpg,1', "'' in the column py is no number"],
    ['q,1,2,3,IMG 9.jpg,1,2', 'no photo of this name in the project: IMG 9.jpg'],
    [',1,2,3,IMG 1.jpg,1,2', 'a point has no name'],
    ['p,1,2,9,IMG 2.jpg,1,2', 'two rows of one point differ'],
  ])('a bad row is told by its number: %s', (bad, message) => {
    const tried = () => read(`${head}${row('p', 1)}\n\n# a note\n${bad}\n${row('r', 3)}\n`);
    expect(tried).toThrow(message);
    // As an editor counts: with the comments and the empty rows.
    expect(tried).toThrow(/\(row 7\)$/);
  });
});

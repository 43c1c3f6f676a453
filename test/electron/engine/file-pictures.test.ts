import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { Engine } from '../../../electron/engine/engine.js';

test.skipIf(process.platform === 'win32')(
  'the file dialog is given a small picture of each photo before there is a project, and nothing for what is none',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pointmap-pictures-'));
    const engine = new Engine({ dataFolder: join(folder, 'data'), threads: 1 });
    try {
      const red = sharp({ create: { width: 400, height: 300, channels: 3, background: '#f00' } });
      await red.jpeg().toFile(join(folder, '100 % ä#.jpg'));
      writeFileSync(join(folder, 'broken.jpg'), 'no picture');
      execFileSync('mkfifo', [join(folder, 'pipe.jpg')]);
      const pictureOf = async (name: string): Promise<Uint8Array> =>
        (await engine.binary(`file-picture/${encodeURIComponent(join(folder, name))}`)).bytes;
      const { width, format } = await sharp(await pictureOf('100 % ä#.jpg')).metadata();
      expect([width, format]).toEqual([192, 'jpeg']);
      for (const name of ['broken.jpg', 'pipe.jpg', 'none.jpg', 'none\0.jpg', 'data'])
        expect(await pictureOf(name)).toHaveLength(0);
      await expect(engine.binary('file-picture/%')).rejects.toThrow(/no project is open/);
    } finally {
      await engine.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { preferences, type Preferences } from '../contract/preferences.js';

/** What a person has chosen for this machine, whatever the project: a small JSON file in the data folder. */
export class PreferenceFile {
  private readonly file: string;

  constructor(dataFolder: string) {
    this.file = join(dataFolder, 'preferences.json');
  }

  read(): Preferences {
    try {
      return preferences.parse(JSON.parse(readFileSync(this.file, 'utf8')));
    } catch {
      // None yet, or one that can't be read: the machine's own numbers hold.
      return preferences.parse({});
    }
  }

  write(next: Preferences): void {
    mkdirSync(dirname(this.file), { recursive: true });
    writeFileSync(`${this.file}.new`, JSON.stringify(next, null, 1));
    renameSync(`${this.file}.new`, this.file);
  }
}

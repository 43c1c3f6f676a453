import { join } from 'node:path';
import { preferences, type Preferences } from '../contract/preferences.js';
import { JsonFile } from './json-file.js';

/** What a person has chosen for this machine, whatever the project: a small JSON file in the data folder. */
export class PreferenceFile {
  private readonly file: JsonFile;

  constructor(dataFolder: string) {
    this.file = new JsonFile(join(dataFolder, 'preferences.json'));
  }

  /** Where none are kept the machine's own numbers hold. */
  read(): Preferences {
    return this.file.read((value) => preferences.parse(value), preferences.parse({}));
  }

  write(next: Preferences): void {
    this.file.write(next);
  }
}

import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** A small JSON file of the data folder, which is replaced as a whole. */
export class JsonFile {
  constructor(private readonly path: string) {}

  /** What `take` makes of the value; `otherwise` where there is no file yet, or one that can't be read or taken. */
  read<T>(take: (value: unknown) => T, otherwise: T): T {
    try {
      return take(JSON.parse(readFileSync(this.path, 'utf8')));
    } catch {
      return otherwise;
    }
  }

  /** @throws the file system's errors */
  write(value: unknown): void {
    mkdirSync(dirname(this.path), { recursive: true });
    writeFileSync(`${this.path}.new`, JSON.stringify(value, null, 1));
    renameSync(`${this.path}.new`, this.path);
  }

  /** Where a read-only home must not stop anyone from working. */
  tryToWrite(value: unknown): void {
    try {
      this.write(value);
    } catch {
      // What is kept here is a convenience: the next start does without.
    }
  }
}

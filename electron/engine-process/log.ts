import { mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pino, type Logger } from 'pino';

/** A log this long starts anew; the one before is kept beside it. */
const LONGEST = 5 * 2 ** 20;

/** Where a data folder's engine log lies. */
export const logFile = (dataFolder: string): string => join(dataFolder, 'logs', 'engine.log');

/**
 * The program's own log, for finding out what went wrong on somebody else's machine: one JSON object a line. What
 * happened to a project stands in the project. Written at once, so that the last words before a crash are there.
 */
export function openLog(dataFolder: string): Logger {
  const file = logFile(dataFolder);
  try {
    mkdirSync(join(dataFolder, 'logs'), { recursive: true });
    if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > LONGEST) renameSync(file, `${file}.1`);
    return pino(
      { level: process.env.POINTMAP_DEBUG ? 'debug' : 'info', base: { pid: process.pid } },
      pino.destination({ dest: file, sync: true }),
    );
  } catch {
    // A read-only home must not stop anyone from working.
    return pino({ enabled: false });
  }
}

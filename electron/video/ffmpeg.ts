import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Writable } from 'node:stream';
import { UserError } from '../contract/errors.js';

/** The program POINTMAP_FFMPEG names, else the `ffmpeg` of the search path; undefined where there is none. */
export function findFfmpeg(name: 'ffmpeg' | 'ffprobe' = 'ffmpeg'): string | undefined {
  const named = process.env.POINTMAP_FFMPEG;
  if (named) {
    const path = name === 'ffmpeg' ? named : named.replace(/ffmpeg(\.exe)?$/, 'ffprobe$1');
    return existsSync(path) ? path : undefined;
  }
  const file = process.platform === 'win32' ? `${name}.exe` : name;
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, file);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

export interface RunOptions {
  signal?: AbortSignal | undefined;
  /** Receives standard output in pieces; the program waits while it is at work. */
  onData?: (chunk: Buffer) => void | Promise<void>;
  /** Given the program's standard input, to write to and to end, as soon as the program runs. */
  onInput?: (input: Writable) => void;
  /** Receives each line of standard error; true where it is no complaint. */
  isNoise?: (line: string) => boolean;
}

/** Characters that are kept of it. */
const MOST_COMPLAINT = 4000;

/**
 * Runs ffmpeg or ffprobe to its end.
 *
 * @returns the exit code and the first lines of what it complained about
 * @throws UserError 'not-found' where the program is not installed; the signal's reason
 */
export async function runFfmpeg(
  name: 'ffmpeg' | 'ffprobe',
  args: readonly string[],
  { signal, onData, onInput, isNoise = () => false }: RunOptions = {},
): Promise<{ code: number; complaint: string }> {
  const program = findFfmpeg(name);
  if (!program) {
    throw new UserError(
      'not-found',
      `videos are read by ${name}, which is not installed; install FFmpeg (on Debian: apt install ffmpeg) or name it in POINTMAP_FFMPEG`,
    );
  }
  signal?.throwIfAborted();
  const piped = (wanted: unknown): 'pipe' | 'ignore' => (wanted ? 'pipe' : 'ignore');
  const child = spawn(program, args, { stdio: [piped(onInput), piped(onData), 'pipe'] });
  const stop = (): void => void child.kill('SIGKILL');
  signal?.addEventListener('abort', stop, { once: true });
  let complaint = '';
  let rest = '';
  child.stderr!.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('utf8')).split('\n');
    rest = lines.pop()!;
    for (const line of lines) if (!isNoise(line) && complaint.length < MOST_COMPLAINT) complaint += `${line}\n`;
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? -1));
  });
  // A program that ends before it has read everything says why itself.
  child.stdin?.on('error', () => undefined);
  if (child.stdin) onInput?.(child.stdin);
  try {
    if (child.stdout && onData) for await (const chunk of child.stdout) await onData(chunk as Buffer);
    const code = await ended;
    signal?.throwIfAborted();
    return { code, complaint: complaint + rest };
  } finally {
    signal?.removeEventListener('abort', stop);
    stop();
  }
}

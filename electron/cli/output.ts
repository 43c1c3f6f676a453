import { UserError } from '../contract/errors.js';

/** Exit codes: 0 success, 1 failure, 2 wrong usage. */
export type ExitCode = 0 | 1 | 2;

/** With --json the last line on standard output is one JSON object; otherwise lines for people. */
export function answer(json: boolean | undefined, value: unknown, lines: readonly string[]): void {
  if (json) process.stdout.write(`${JSON.stringify(value)}\n`);
  else for (const line of lines) process.stdout.write(`${line}\n`);
}

/** The one place where a failed command says so: one line, and the stack only when asked for. */
export function fail(error: unknown): ExitCode {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`pointmap: ${message}\n`);
  if (process.env.POINTMAP_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return error instanceof UserError && error.code === 'usage' ? 2 : 1;
}

export function seconds(value: number): string {
  if (value < 60) return `${Math.max(0, Math.round(value))} s`;
  const minutes = Math.floor(value / 60);
  return minutes < 60
    ? `${minutes} min ${Math.round(value % 60)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function bytes(value: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
}

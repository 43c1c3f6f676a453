import { screen, type Rectangle } from 'electron';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';

const windowState = z.object({
  x: z.number().int(),
  y: z.number().int(),
  width: z.number().int().min(200),
  height: z.number().int().min(200),
  maximized: z.boolean(),
});
export type WindowState = z.infer<typeof windowState>;

/** The window as it was left, unless the screen it was on is gone. */
export function readWindowState(file: string): WindowState | undefined {
  try {
    const state = windowState.parse(JSON.parse(readFileSync(file, 'utf8')));
    return screen.getAllDisplays().some(({ workArea }) => overlap(state, workArea)) ? state : undefined;
  } catch {
    return undefined;
  }
}

export function writeWindowState(file: string, state: WindowState): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify(state));
  } catch {
    // A window that opens in its usual place again is not worth an error.
  }
}

/** Enough of it to take hold of. */
const GRIP = 80;

function overlap(a: Rectangle, b: Rectangle): boolean {
  return (
    Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x) >= GRIP &&
    Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y) >= GRIP
  );
}

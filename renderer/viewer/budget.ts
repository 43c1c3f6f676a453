/**
 * How many points a frame may draw. While the view moves, every frame starts from an empty picture and draws one budget; at
 * rest each frame adds the next budget on top until all points are there, so that no frame costs more than the first.
 */
export class PointBudget {
  /** Points a frame; where a display at 60 Hz starts from. */
  points = 1_500_000;
  private drawn = 0;
  private lastMove = 0;

  static readonly least = 60_000;

  /** The picture is to be drawn anew. */
  restart(): void {
    this.drawn = 0;
  }

  /**
   * @param now milliseconds
   * @param moving this frame shows another view than the last
   * @returns which points to draw, and whether the picture is to be cleared first
   */
  next(total: number, now: number, moving: boolean): { from: number; to: number; clear: boolean; complete: boolean } {
    if (moving) {
      const passed = now - this.lastMove;
      // Only the time between two moving frames says anything; a first one waited for a hand.
      if (this.lastMove > 0 && passed < 500) this.adapt(passed, total);
      this.lastMove = now;
      this.drawn = 0;
    }
    const from = this.drawn;
    const to = Math.min(total, from + this.points);
    this.drawn = to;
    return { from, to, clear: from === 0, complete: to >= total };
  }

  get displayed(): number {
    return this.drawn;
  }

  /** Between 25 and 40 ms a frame nothing changes, so that the cloud does not flicker between two densities. */
  private adapt(passed: number, total: number): void {
    if (passed > 40) this.points = Math.max(PointBudget.least, Math.round(this.points * Math.max(0.5, 33 / passed)));
    else if (passed < 25) this.points = Math.min(Math.max(total, PointBudget.least), Math.round(this.points * 1.1));
  }
}

/** The part of a chunk that [from, to) of the whole cloud covers. */
export function partOf(chunk: number, size: number, from: number, to: number): { start: number; count: number } {
  const start = Math.max(0, from - chunk * size);
  const end = Math.min(size, to - chunk * size);
  return { start, count: Math.max(0, end - start) };
}

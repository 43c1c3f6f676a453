/** Points of a frame that may take so long, and no longer. */
interface Pace {
  points: number;
  /** Below it frames cost the same however few their points are. */
  readonly least: number;
  /**
   * Milliseconds: a quicker frame may draw more, a slower one draws less, and between them nothing changes, so that the
   * cloud does not flicker between two densities.
   */
  readonly quick: number;
  readonly slow: number;
}

/**
 * How many points a frame may draw. While the view moves, every frame starts from an empty picture and draws one
 * budget; at rest each frame adds another on top until all points are there. Both follow the time that the frames
 * before took: a moving one keeps the rate at which a hand is followed, a resting one may take as long as a hand does
 * not notice when it sets in again.
 */
export class PointBudget {
  /** Both start from what small graphics processors draw in time; others are there within some frames. */
  private readonly moving: Pace = { points: 500_000, least: 100_000, quick: 25, slow: 40 };
  private readonly resting: Pace = { points: 500_000, least: 300_000, quick: 50, slow: 100 };
  private drawn = 0;

  /** The picture is to be drawn anew. */
  restart(): void {
    this.drawn = 0;
  }

  /** @returns which points to draw next, whether the picture is to be cleared first, and whether it is whole then */
  next(total: number): { from: number; to: number; clear: boolean; complete: boolean } {
    const from = this.drawn;
    const to = Math.min(total, from + this.pace(from === 0).points);
    this.drawn = to;
    return { from, to, clear: from === 0, complete: to >= total };
  }

  /**
   * @param first the frame started from an empty picture
   * @param drawn its points; fewer than the budget say nothing about a larger one
   * @param milliseconds from its submission until it was finished
   */
  adapt(first: boolean, drawn: number, milliseconds: number): void {
    const pace = this.pace(first);
    if (milliseconds > pace.slow)
      pace.points = Math.max(
        pace.least,
        Math.round(Math.min(pace.points, drawn) * Math.max(0.5, (0.8 * pace.slow) / milliseconds)),
      );
    else if (milliseconds < pace.quick && drawn >= pace.points) pace.points = Math.round(pace.points * 1.25);
  }

  private pace(first: boolean): Pace {
    return first ? this.moving : this.resting;
  }
}

/** The part of a chunk that [from, to) of the whole cloud covers. */
export function partOf(chunk: number, size: number, from: number, to: number): { start: number; count: number } {
  const start = Math.max(0, from - chunk * size);
  const end = Math.min(size, to - chunk * size);
  return { start, count: Math.max(0, end - start) };
}

/**
 * When the graphics processor has finished a frame. The time between two frames of the page does not tell: a browser
 * goes on calling for frames while the processor is seconds behind, and every further frame adds to what a person waits
 * for.
 */
export class FrameClock {
  private fence: WebGLSync | null = null;
  private submitted = 0;
  private first = false;
  private points = 0;

  constructor(private readonly gl: WebGL2RenderingContext) {}

  /**
   * Call when everything of a frame has been drawn. @param first it started from an empty picture @param points that it
   * drew @param now milliseconds
   */
  submit(first: boolean, points: number, now: number): void {
    if (this.fence) this.gl.deleteSync(this.fence);
    this.fence = this.gl.fenceSync(this.gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    this.gl.flush();
    this.submitted = now;
    this.first = first;
    this.points = points;
  }

  /** @returns 'busy' while the last frame is being drawn, what it took once after it was, undefined from then on */
  poll(now: number): 'busy' | { first: boolean; points: number; milliseconds: number } | undefined {
    if (!this.fence) return undefined;
    // A lost context finishes nothing any more.
    if (!this.gl.isContextLost() && this.gl.getSyncParameter(this.fence, this.gl.SYNC_STATUS) !== this.gl.SIGNALED)
      return 'busy';
    this.gl.deleteSync(this.fence);
    this.fence = null;
    return { first: this.first, points: this.points, milliseconds: now - this.submitted };
  }
}

/** What a run waits at between two pieces of work: open most of the time, closed while the user has paused it. */
export class Gate {
  private opening: Promise<void> | undefined;
  private release: (() => void) | undefined;
  private closedAt = 0;
  private closedFor = 0;

  /** Seconds, of a time that stands still while the gate is closed. */
  readonly now = (): number => (this.opening ? this.closedAt : performance.now() / 1000) - this.closedFor;

  close(): void {
    if (this.opening) return;
    this.closedAt = performance.now() / 1000;
    this.opening = new Promise((resolve) => {
      this.release = resolve;
    });
  }

  open(): void {
    if (!this.opening) return;
    this.closedFor += performance.now() / 1000 - this.closedAt;
    this.release?.();
    this.opening = this.release = undefined;
  }

  /** Resolves at once when open; rejects with the signal's reason when a closed gate's run is cancelled. */
  async pass(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (!this.opening) return;
    await Promise.race([
      this.opening,
      new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason), { once: true })),
    ]);
  }
}

/** What a run waits at between two pairs: open most of the time, closed while the user has paused it. */
export class Gate {
  private opening: Promise<void> | undefined;
  private release: (() => void) | undefined;

  get closed(): boolean {
    return this.opening !== undefined;
  }

  close(): void {
    this.opening ??= new Promise((resolve) => { this.release = resolve; });
  }

  open(): void {
    this.release?.();
    this.opening = this.release = undefined;
  }

  /** Resolves at once when open; rejects with the signal's reason when a closed gate's run is cancelled. */
  async pass(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (!this.opening) return;
    await Promise.race([this.opening, new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason), { once: true }))]);
  }
}

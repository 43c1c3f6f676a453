/** Lets work begin, in the order it came, while what it takes fits beside what is under way. */
export class MemoryGate {
  private used = 0;
  private readonly queue: { bytes: number; begin: () => void }[] = [];

  /** @param budget bytes */
  constructor(readonly budget: number) {}

  /**
   * @returns to be called when the work is done
   * @throws the signal's reason
   */
  enter(bytes: number, signal?: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const entry = {
        bytes,
        begin: () => {
          signal?.removeEventListener('abort', leave);
          this.used += bytes;
          resolve(() => {
            this.used -= bytes;
            this.pump();
          });
        },
      };
      const leave = (): void => {
        this.queue.splice(this.queue.indexOf(entry), 1);
        reject(signal!.reason);
        this.pump();
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.queue.push(entry);
      this.pump();
    });
  }

  private pump(): void {
    // What is larger than all there is runs alone.
    while (this.queue.length > 0 && (this.used === 0 || this.used + this.queue[0]!.bytes <= this.budget))
      this.queue.shift()!.begin();
  }
}

import type { Provider } from './onnx/provider-names.js';

export interface Closable {
  close(): Promise<void>;
}

/**
 * A network that goes on, on the CPU, when its provider fails in mid-run: a graphics device may run out of memory, be
 * reset or give numbers that are not finite. What was computed until then stays valid.
 *
 * @param open makes the network for a provider
 * @param onNote told once, when the provider failed
 */
export class Fallback<Network extends Closable> {
  private network: Network | undefined;
  private failed: Promise<void> | undefined;

  constructor(
    private readonly open: (provider: Provider) => Network,
    private provider: Provider,
    private readonly onNote: (message: string) => void,
  ) {}

  /** Runs `work` on the network, and once more on the CPU when that fails elsewhere. */
  async use<T>(work: (network: Network) => Promise<T>): Promise<T> {
    await this.failed;
    const used = (this.network ??= this.open(this.provider));
    try {
      return await work(used);
    } catch (error) {
      // Another call may have changed over in the meantime.
      if (this.provider === 'cpu' && used === this.network) throw error;
      if (used === this.network) this.failed = this.changeOver(used, error);
      await this.failed;
      return work((this.network ??= this.open('cpu')));
    }
  }

  async close(): Promise<void> {
    await this.failed;
    await this.network?.close();
    this.network = undefined;
  }

  private async changeOver(used: Network, error: unknown): Promise<void> {
    const reason = String((error as Error).message ?? error)
      .split('\n')[0]!
      .slice(0, 160);
    this.onNote(`${this.provider} failed (${reason}); going on with the CPU`);
    this.provider = 'cpu';
    this.network = undefined;
    await used.close().catch(() => undefined); // A device that is gone can't be closed.
  }
}

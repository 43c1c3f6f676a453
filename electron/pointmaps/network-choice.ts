import type { Precision } from '../../native-models/onnx/layers.js';
import { chooseProvider, computesHalf, type Provider } from '../../native-models/providers.js';
import type { ModelCard } from '../../native-models/registry/card.js';
import { UserError } from '../contract/errors.js';

export interface NetworkOptions {
  provider?: Provider | 'auto';
  /** Default: float16 on a GPU and float32 elsewhere, where installed; else what is. */
  precision?: Precision | 'auto';
  threads?: number;
}

export interface NetworkChoice {
  provider: Provider;
  precision: Precision;
  /** The precision on a provider: another one may be right after a fallback. */
  precisionOn: (provider: Provider) => Precision;
  /** Canonical text of what changes the numbers; part of cache keys. */
  settingsKey: string;
  /** Lines for the user. */
  notes: string[];
}

const orders: Record<'half' | 'full', Precision[]> = {
  half: ['float16', 'float32', 'int8'],
  full: ['float32', 'int8', 'float16'],
};

/** @throws UserError 'not-found' when the wanted precision is not installed */
export async function chooseNetwork(card: ModelCard, options: NetworkOptions): Promise<NetworkChoice> {
  const notes: string[] = [];
  const installed = Object.keys(card.precisions) as Precision[];
  const wanted = options.precision ?? 'auto';
  if (wanted !== 'auto' && !installed.includes(wanted))
    throw new UserError(
      'not-found',
      `The model ${card.id} is not installed in ${wanted} (installed: ${installed.join(', ')}). Import it again with --precision ${wanted}`,
    );
  const half = installed.includes('float16') && ['auto', 'float16'].includes(wanted);
  const provider = await chooseProvider(options.provider, (note) => notes.push(note), half);
  const halfHere = provider !== 'cpu' && (await computesHalf(provider));
  const first = (order: Precision[]): Precision =>
    order.find((precision) => installed.includes(precision)) ?? 'float32';
  const precisionOn = (on: Provider): Precision =>
    wanted !== 'auto' ? wanted : first(on !== 'cpu' && halfHere ? orders.half : orders.full);
  const precision = precisionOn(provider);
  return { provider, precision, precisionOn, settingsKey: settingsKey(precision, provider), notes };
}

/**
 * In float32 all providers agree to rounding; the smaller types are computed differently on a CPU and on a GPU (int8
 * activations, float16 sums).
 */
function settingsKey(precision: Precision, provider: Provider): string {
  return precision === 'float32' ? 'precision=float32' : `precision=${precision};${provider === 'cpu' ? 'cpu' : 'gpu'}`;
}

/**
 * GFLOP/s that two cores of 2024, and a GPU, reach; the estimate is shown before a run and replaced by measured
 * progress in it.
 */
export const usualSpeed = {
  cpu: { float32: 170, float16: 100, int8: 300 },
  gpu: { float32: 5000, float16: 10_000, int8: 2000 },
};

/** Bytes a weight takes in memory. */
export const bytesPerWeight: Record<Precision, number> = { float32: 4, float16: 2, int8: 1.2 };

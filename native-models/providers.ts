import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { Graph, type Value } from './onnx/graph.js';
import { plainAttention } from './onnx/layers.js';
import { providerNames, type Provider } from './onnx/provider-names.js';
import { floatTensor, openSession } from './onnx/session.js';
import { deviationOf } from './registry/deviation.js';

export type { Provider } from './onnx/provider-names.js';

export interface ProviderProbe {
  provider: Provider;
  available: boolean;
  /** Why not, in one line. */
  reason?: string;
  /** Computes fused attention falsely: only networks in float16, which have it written out, may run there. */
  plainAttentionOnly?: boolean;
  /** Computes in float16; graphics devices without that feature refuse such graphs. */
  half?: boolean;
  /** Measured on a 512x1024x1024 float32 matrix product. */
  gflops?: number;
}

const [rows, inner, columns] = [512, 1024, 1024];

async function productGraph(path: string): Promise<void> {
  const graph = new Graph('matrix product');
  const x = graph.input('x', 'float32', [rows, inner]);
  const values = Float32Array.from({ length: inner * columns }, (_, k) => ((k % 17) - 8) / 64);
  const w = graph.weight('w', 'float32', [inner, columns], () => Promise.resolve(new Uint8Array(values.buffer)));
  graph.output('y', graph.node('MatMul', [x, w]), 'float32', [rows, columns]);
  await graph.save(path);
}

/**
 * Attention as the networks use it. From 32 tokens on, WebGPU's fused kernel is false by some percent on some devices
 * (microsoft/onnxruntime#28520: keys are left out; SwiftShader: 2e-2 to 6e-2); every other operator of the networks,
 * softmax and products included, is right to 4e-6 there.
 */
const attentionShape = [1, 36, 64];

const heads = 4;

async function attentionGraph(path: string, kind: keyof Attention): Promise<void> {
  const graph = new Graph('attention');
  const x = graph.input('x', 'float32', attentionShape);
  const width = attentionShape[2]!;
  const cast = (value: Value, type: number) =>
    kind === 'half' ? graph.node('Cast', [value], { attributes: { to: type } }) : value;
  const tokens = cast(x, 10);
  const y =
    kind === 'fused'
      ? graph.node('MultiHeadAttention', [x, x, x], { domain: 'com.microsoft', attributes: { num_heads: heads } })
      : plainAttention(
          graph,
          tokens,
          tokens,
          tokens,
          heads,
          width,
          cast(graph.floats([Math.sqrt(heads / width)], []), 10),
        );
  graph.output('y', cast(y, 1), 'float32', attentionShape);
  await graph.save(path);
}

async function attend(path: string, provider: Provider): Promise<Float32Array> {
  const session = await openSession(path, provider);
  const values = Float32Array.from({ length: 36 * 64 }, (_, k) => 2 * Math.sin(k * 1.7 + k * k * 0.01));
  const { y } = await session.run({ x: floatTensor(values, attentionShape) });
  const out = (y!.data as Float32Array).slice();
  await session.release();
  return out;
}

function oneLine(error: unknown): string {
  const message = String((error as Error).message ?? error);
  if (message.includes('webgpu_context')) return 'no graphics adapter with a driver was found';
  return message.split('\n')[0]!.slice(0, 200);
}

/** Graph files. */
interface Attention {
  fused: string;
  plain: string;
  half: string;
}

async function probe(provider: Provider, path: string, attention: Attention, threads?: number): Promise<ProviderProbe> {
  const bundled = ort.listSupportedBackends().map((backend) => backend.name as string);
  if (!bundled.includes(provider))
    return { provider, available: false, reason: 'not part of ONNX Runtime for this system' };
  try {
    const session = await openSession(path, provider, threads);
    const x = floatTensor(new Float32Array(rows * inner).fill(0.5), [rows, inner]);
    let best = Infinity;
    for (let run = 0; run < 4; run++) {
      const start = performance.now();
      await session.run({ x });
      best = Math.min(best, performance.now() - start);
      if (best > 500) break; // Slow is known after one run.
    }
    await session.release();
    const gflops = Math.round((2 * rows * inner * columns) / best / 1e6);
    if (provider === 'cpu') return { provider, available: true, gflops };
    // Fast and wrong is worse than slow.
    const expected = await attend(attention.plain, 'cpu');
    const deviation = async (graph: string) => deviationOf(await attend(graph, provider), expected).largest;
    const plain = await deviation(attention.plain);
    if (!(plain < 1e-2))
      return {
        provider,
        available: false,
        reason: `computes attention falsely here (deviation ${plain.toPrecision(2)}); a newer graphics driver may help`,
      };
    const fused = (await deviation(attention.fused)) < 1e-2;
    const half = (await deviation(attention.half).catch(() => Infinity)) < 0.05;
    return { provider, available: true, gflops, half, ...(fused ? {} : { plainAttentionOnly: true }) };
  } catch (error) {
    return { provider, available: false, reason: oneLine(error) };
  }
}

/** Tries every provider with a small matrix product: what works, how fast, and why not. About a second. */
export async function probeProviders(threads?: number): Promise<ProviderProbe[]> {
  const folder = await mkdtemp(join(tmpdir(), 'pointmap-probe-'));
  try {
    const path = join(folder, 'product.onnx');
    const attention: Attention = {
      fused: join(folder, 'fused.onnx'),
      plain: join(folder, 'plain.onnx'),
      half: join(folder, 'half.onnx'),
    };
    await productGraph(path);
    for (const kind of ['fused', 'plain', 'half'] as const) await attentionGraph(attention[kind], kind);
    const probes: ProviderProbe[] = [];
    for (const provider of providerNames) probes.push(await probe(provider, path, attention, threads));
    return probes;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

let probed: Promise<ProviderProbe[]> | undefined;

/**
 * The provider to use: the wanted one if it works, else the fastest that does. A fallback is told to `onNote` with its
 * reason. POINTMAP_PROVIDER overrides the choice.
 * @param half whether the network may run in float16, which some providers need
 */
export async function chooseProvider(
  wanted: Provider | 'auto' = 'auto',
  onNote?: (message: string) => void,
  half = false,
): Promise<Provider> {
  const asked = wanted === 'auto' ? ((process.env['POINTMAP_PROVIDER'] as Provider | undefined) ?? 'auto') : wanted;
  if (asked === 'cpu') return 'cpu';
  return selectProvider(await (probed ??= probeProviders()), asked, onNote, half);
}

/** The choice among what was probed. */
export function selectProvider(
  probes: readonly ProviderProbe[],
  asked: Provider | 'auto',
  onNote?: (message: string) => void,
  half = false,
): Provider {
  const lacksHalf = (probe: ProviderProbe) => probe.plainAttentionOnly === true && !(half && probe.half);
  const advice = (probe: ProviderProbe) => {
    const fault = `${probe.provider} computes fused attention falsely here`;
    return probe.half
      ? `${fault}, and only float16 does without; import the model with --precision float32,float16 to use it. Using the CPU instead`
      : `${fault} and has no float16, which does without; using the CPU instead`;
  };
  if (asked !== 'auto') {
    const found = probes.find((candidate) => candidate.provider === asked);
    if (found?.available && !lacksHalf(found)) return asked;
    onNote?.(
      found?.available
        ? advice(found)
        : `${asked} is not available (${found?.reason ?? 'unknown provider'}); using the CPU instead`,
    );
    return 'cpu';
  }
  const working = probes.filter((candidate) => candidate.available).sort((a, b) => (b.gflops ?? 0) - (a.gflops ?? 0));
  const best = working.find((candidate) => !lacksHalf(candidate))?.provider ?? 'cpu';
  if (best === 'cpu' && working[0] && lacksHalf(working[0])) onNote?.(advice(working[0]));
  return best;
}

/** Whether a provider was found to compute in float16. A CPU does, slowly. */
export async function computesHalf(provider: Provider): Promise<boolean> {
  return (
    provider === 'cpu' ||
    ((await (probed ??= probeProviders())).find((probe) => probe.provider === provider)?.half ?? false)
  );
}

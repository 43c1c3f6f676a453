import { describe, expect, it } from 'vitest';
import { selectProvider, type ProviderProbe } from '../../native-models/providers.js';

const cpu: ProviderProbe = { provider: 'cpu', available: true, gflops: 100 };
const webgpu: ProviderProbe = { provider: 'webgpu', available: true, half: true, gflops: 5000 };
const missing: ProviderProbe = { provider: 'cuda', available: false, reason: 'libcudart.so.12 was not found' };

describe('the choice of a provider', () => {
  const choose = (probes: ProviderProbe[], asked: Parameters<typeof selectProvider>[1], half = false) => {
    const notes: string[] = [];
    return { provider: selectProvider(probes, asked, (note) => notes.push(note), half), notes };
  };

  it('is the fastest that works', () =>
    expect(choose([missing, cpu, webgpu], 'auto')).toEqual({ provider: 'webgpu', notes: [] }));
  it('is the CPU where it is faster', () =>
    expect(choose([{ ...webgpu, gflops: 20 }, cpu], 'auto').provider).toBe('cpu'));
  it('says why the wanted one is not used', () =>
    expect(choose([missing, cpu], 'cuda')).toEqual({
      provider: 'cpu',
      notes: ['cuda is not available (libcudart.so.12 was not found); using the CPU instead'],
    }));

  describe('where fused attention is false', () => {
    const probes = [{ ...webgpu, plainAttentionOnly: true }, cpu];
    it.each(['auto', 'webgpu'] as const)('is the CPU in float32, with advice (asked: %s)', (asked) => {
      const { provider, notes } = choose(probes, asked);
      expect(provider).toBe('cpu');
      expect(notes).toEqual([expect.stringMatching(/--precision float32,float16/)]);
    });
    it('is the CPU, where there is no float16 either', () => {
      const { provider, notes } = choose([{ ...probes[0]!, half: false }, cpu], 'auto', true);
      expect(provider).toBe('cpu');
      expect(notes).toEqual([expect.stringMatching(/has no float16/)]);
    });
    it.each(['auto', 'webgpu'] as const)('is the GPU in float16 (asked: %s)', (asked) =>
      expect(choose(probes, asked, true)).toEqual({ provider: 'webgpu', notes: [] }),
    );
  });
});

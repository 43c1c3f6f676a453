import type { Command } from 'commander';
import { probeProviders } from '../../native-models/providers.js';
import { examine } from '../engine/environment.js';
import { answer, bytes } from './output.js';

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('what this machine offers')
    .option('--json', 'print it as one line')
    .action(async ({ json }: { json?: boolean }) => {
      const facts = { ...(await examine()), providers: await probeProviders() };
      answer(json, facts, [
        `pointmap ${facts.version}, Node ${facts.node}, ${facts.platform}`,
        `${facts.threads} threads, ${bytes(facts.memoryBytes)} of memory`,
        ...Object.entries(facts.libraries).map(([name, version]) => `${name} ${version}`),
        ...facts.providers.map(
          ({ provider, available, reason, gflops, plainAttentionOnly, half }) =>
            `${provider}: ${available ? `${gflops} GFLOP/s${plainAttentionOnly ? `, ${half ? 'for networks in float16 only' : 'not usable for networks'}: its fused attention is false here` : ''}` : `not available: ${reason}`}`,
        ),
        `models and unsaved projects: ${facts.dataFolder}`,
      ]);
    });
}

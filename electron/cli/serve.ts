import { InvalidArgumentError, type Command } from 'commander';
import { join, resolve } from 'node:path';
import { EngineHost, forkEngine } from '../engine-host.js';
import { defaultDataFolder, installFolder } from '../engine/environment.js';
import { serve } from '../server.js';

interface ServeFlags {
  port: number;
  json?: boolean;
}

export function addServe(program: Command): void {
  program
    .command('serve [project]')
    .description('the studio in a browser of this machine')
    .option('--port <n>', 'port of 127.0.0.1 to listen on; a free one by default', portNumber, 0)
    .option('--json', 'print the address as one line of JSON')
    .action(async (project: string | undefined, { port, json }: ServeFlags) => {
      const engine = new EngineHost(() => forkEngine({ dataFolder: defaultDataFolder() }));
      try {
        if (project !== undefined) await engine.ask('project.open', { path: resolve(project) });
        const server = await serve({ engine, renderer: join(installFolder, 'dist', 'renderer'), dataFolder: defaultDataFolder(), port });
        console.log(json ? JSON.stringify({ address: server.address, port: server.port }) : `Open ${server.address}\nControl+C stops the studio; the project keeps everything computed so far.`);
        await stopped();
        await server.close();
      } finally {
        engine.close();
      }
    });
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new InvalidArgumentError('a port is a whole number from 0 to 65535.');
  return port;
}

function stopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}

import { spawn } from 'node:child_process';
import { InvalidArgumentError, type Command } from 'commander';
import { join, resolve } from 'node:path';
import { forkEngine } from '../engine-process/fork.js';
import { EngineHost } from '../engine-process/host.js';
import { defaultDataFolder, installFolder } from '../engine/environment.js';
import { serve, type RunningServer } from '../server.js';

interface ServeFlags {
  port: number;
  open?: boolean;
  json?: boolean;
}

export function addServe(program: Command): void {
  program
    .command('serve [project]')
    .description('the studio in a browser of this machine')
    .option('--port <n>', 'port of 127.0.0.1 to listen on; a free one by default', portNumber, 0)
    .option('--open', 'open it in the default browser')
    .option('--json', 'print the address as one line of JSON')
    .action(async (project: string | undefined, { port, open, json }: ServeFlags) => {
      const dataFolder = defaultDataFolder();
      // Listened to before anything is said: whoever reads the address may end the program the next moment.
      const end = stopped();
      const engine = new EngineHost(() => forkEngine({ dataFolder }));
      let server: RunningServer | undefined;
      try {
        server = await serve({ engine, renderer: join(installFolder, 'dist', 'renderer'), dataFolder, port });
        // Before the address is printed: whoever opens it finds the project, or the command has failed.
        if (project !== undefined) await engine.ask('project.open', { path: resolve(project) });
        console.log(
          json
            ? JSON.stringify({ address: server.address, port: server.port })
            : `Open ${server.address}\nControl+C stops the studio; the project keeps everything computed so far.`,
        );
        if (open) openInBrowser(server.addressForOnce());
        await end;
      } finally {
        await server?.close();
        await engine.close();
      }
    });
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new InvalidArgumentError('a port is a whole number from 0 to 65535.');
  return port;
}

/** The address is printed as well: no browser is a remark, not a failure. */
function openInBrowser(address: string): void {
  const [program, ...words] =
    process.platform === 'win32'
      ? ['rundll32', 'url.dll,FileProtocolHandler']
      : [process.platform === 'darwin' ? 'open' : 'xdg-open'];
  const child = spawn(program!, [...words, address], { stdio: 'ignore', detached: true });
  child.on('error', () => console.error('no browser could be opened from here; open the address yourself'));
  child.unref();
}

function stopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });
}

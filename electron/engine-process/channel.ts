/** A running engine process as its shell sees it, whatever started it. */
export interface EngineChannel {
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  /** @param listener gets a word on how it ended: an exit code or a signal */
  onExit(listener: (how: string) => void): void;
  kill(): void;
}

/** The other end, inside the engine process. */
export interface ShellChannel {
  send(message: unknown): void;
  listen(listener: (message: unknown) => void): void;
}

interface ParentPort {
  postMessage(message: unknown): void;
  on(name: 'message', listener: (event: { data: unknown }) => void): void;
}

/** An Electron utility process has `process.parentPort`, a forked one `process.send`. */
export function openShellChannel(): ShellChannel {
  const port = (process as unknown as { parentPort?: ParentPort }).parentPort;
  if (port)
    return {
      send: (message) => port.postMessage(message),
      listen: (listener) => port.on('message', ({ data }) => listener(data)),
    };
  if (!process.send)
    throw new Error('the engine process is started by a shell (pointmap serve or the desktop), not by hand');
  // Without its shell nobody could reach it any more; what is stored is safe at any moment.
  process.on('disconnect', () => process.exit(0));
  // Control+C in a terminal reaches every process of the group: the shell decides, and closes the project first.
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
  return {
    send: (message) => {
      if (process.connected) process.send!(message);
    },
    listen: (listener) => process.on('message', listener),
  };
}

import { UserError } from '../contract/errors.js';

/** What the engine does that takes time. Tasks of different names go on side by side. */
export type TaskName =
  /** Whatever changes the project or which one is open, one after another in the order asked. */
  | 'mutation'
  /** Reading photos in. */
  | 'adding'
  /** Waiting for photos, then starting a run. */
  | 'beginning'
  /** The cloud for viewers. */
  | 'cloud'
  | 'export'
  /** Fetching and building a network. */
  | 'network';

/**
 * The engine's one list of what is going on and what waits. Without it, two requests that each take a moment work on one
 * another's halves: two projects opened at once left one of them locked for ever, and an edit made while a project was
 * saved under another name was lost.
 */
export class Tasks {
  private readonly last = new Map<TaskName, Promise<unknown>>();
  private readonly cancels = new Map<TaskName, AbortController>();

  /** Begins when those of its name that were asked for before it have ended, however they did. */
  inOrder<T>(name: TaskName, work: (signal: AbortSignal) => T | Promise<T>): Promise<T> {
    const before = this.last.get(name) ?? Promise.resolve();
    return this.keep(
      name,
      before.then(() => this.cancellable(name, async (signal) => work(signal))),
    );
  }

  /** Joins the one that is going on, if there is one. */
  joined<T>(name: TaskName, work: () => Promise<T>): Promise<T> {
    const running = this.last.get(name) as Promise<T> | undefined;
    return running ?? this.keep(name, work(), true);
  }

  /** Takes the place of the one that is going on, which is cancelled. */
  instead<T>(name: TaskName, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.cancel(name, new UserError('cancelled', 'a later one has taken its place'));
    return this.cancellable(name, work);
  }

  /** @throws UserError 'usage' with `busy` while one is going on */
  alone<T>(name: TaskName, busy: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.cancels.has(name)) return Promise.reject(new UserError('usage', busy));
    return this.cancellable(name, work);
  }

  cancel(name: TaskName, reason: UserError): void {
    this.cancels.get(name)?.abort(reason);
  }

  /** Resolves when all of a name have ended, those too that are asked for meanwhile. */
  async settled(name: TaskName): Promise<void> {
    for (let last: unknown; last !== this.last.get(name);) {
      last = this.last.get(name);
      await last;
    }
  }

  private cancellable<T>(name: TaskName, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const cancel = new AbortController();
    this.cancels.set(name, cancel);
    return work(cancel.signal).finally(() => {
      if (this.cancels.get(name) === cancel) this.cancels.delete(name);
    });
  }

  /** @param asIs what is kept is the promise itself, for others to join, and not only its end */
  private keep<T>(name: TaskName, work: Promise<T>, asIs = false): Promise<T> {
    const end = work.then(
      () => undefined,
      () => undefined,
    );
    const kept = asIs ? work : end;
    this.last.set(name, kept);
    void end.then(() => {
      if (this.last.get(name) === kept) this.last.delete(name);
    });
    return work;
  }
}

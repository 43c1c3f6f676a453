import type { EventName, EventPayload } from '../contract/api.js';

type Listener<N extends EventName> = (payload: EventPayload<N>) => void;

/** The engine's events, typed by the contract. A listener that throws stops neither the others nor the engine. */
export class Emitter {
  private readonly listeners = new Map<EventName, Set<Listener<EventName>>>();

  on<N extends EventName>(name: N, listener: Listener<N>): () => void {
    const set = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, set);
    set.add(listener as Listener<EventName>);
    return () => set.delete(listener as Listener<EventName>);
  }

  has(name: EventName): boolean {
    return (this.listeners.get(name)?.size ?? 0) > 0;
  }

  emit<N extends EventName>(name: N, payload: EventPayload<N>): void {
    for (const listener of this.listeners.get(name) ?? []) {
      try {
        listener(payload);
      } catch (error) {
        console.error(`a listener of ${name} failed:`, error);
      }
    }
  }
}

/** Calls `action` at once, then at most once per interval, and once more at the end when calls were held back. */
export function throttle(action: () => void, milliseconds: number): { (): void; flush(): void } {
  let timer: NodeJS.Timeout | undefined;
  let pending = false;
  const call = (): void => {
    if (timer) {
      pending = true;
      return;
    }
    action();
    timer = setTimeout(() => {
      timer = undefined;
      if (pending) {
        pending = false;
        call();
      }
    }, milliseconds);
    timer.unref();
  };
  call.flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    pending = false;
    action();
  };
  return call;
}

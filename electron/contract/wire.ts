/**
 * How the contract travels, whatever carries it: a WebSocket in browser mode, a message port in the desktop, a child
 * process's channel between a shell and its engine. Pure; api.ts says what may be asked, this page only how.
 *
 *     ask    -> { id, name, params }        answer <- { id, result } or { id, error: { code, message } }
 *                                           event  <- { event, payload }
 *
 * Binary resources travel beside it (`GET /binary/<name>`, or `{ id, binary }` where the carrier takes typed arrays).
 */
import { z } from 'zod';
import {
  events,
  type Api,
  type EventName,
  type EventPayload,
  type Params,
  type RequestName,
  type Result,
} from './api.js';
import { UserError, type ErrorCode } from './errors.js';

export const ask = z.object({ id: z.number().int().nonnegative(), name: z.string().max(100), params: z.unknown() });
export type Ask = z.infer<typeof ask>;

/** Longer than the name of any resource: `pair/<photo>/<photo>/confidence/0` takes 150. */
export const BINARY_NAME_LIMIT = 1000;
export const askBinary = z.object({ id: z.number().int().nonnegative(), binary: z.string().max(BINARY_NAME_LIMIT) });
export type AskBinary = z.infer<typeof askBinary>;

export const wireError = z.object({ code: z.string(), message: z.string() });
export type WireError = z.infer<typeof wireError>;

export const answer = z.union([
  z.object({ id: z.number().int().nonnegative(), error: wireError }),
  z.object({ id: z.number().int().nonnegative(), result: z.unknown() }),
]);
export type Answer = z.infer<typeof answer>;

export const announcement = z.object({ event: z.string(), payload: z.unknown() });
export type Announcement = z.infer<typeof announcement>;

export const fromEngine = z.union([announcement, answer]);
export type FromEngine = z.infer<typeof fromEngine>;

/** An error as it travels. A stack stays where it happened; a person gets the line. */
export function toWire(error: unknown): WireError {
  if (error instanceof UserError) return { code: error.code, message: error.message };
  return { code: 'internal', message: error instanceof Error ? error.message : String(error) };
}

/** The other way round: a `UserError` again, so that it is handled like one thrown on this side. */
export function fromWire({ code, message }: WireError): UserError {
  return new UserError(code as ErrorCode, message);
}

/** Questions on their way over a carrier, matched with their answers. */
export interface Exchange<Question> {
  post(question: Question): Promise<unknown>;
  /** To be called with every message that arrives. @throws ZodError when it is not one of this protocol */
  receive(message: unknown): void;
  /** Rejects everything that waits: the carrier broke. */
  fail(reason: string): void;
}

/**
 * The asking half of the protocol: of the browser's socket, the preload's bridge, and a shell before its engine.
 *
 * @param send puts one message on the carrier
 * @param onEvent told of the contract's events
 */
export function createExchange<Question extends object>(
  send: (message: Question & { id: number }) => void,
  onEvent: (event: EventName, payload: unknown) => void,
): Exchange<Question> {
  const waiting = new Map<number, { resolve: (result: unknown) => void; reject: (reason: Error) => void }>();
  let last = 0;
  return {
    post(question) {
      const id = ++last;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        try {
          send({ ...question, id });
        } catch (error) {
          waiting.delete(id);
          reject(error as Error);
        }
      });
    },
    receive(message) {
      const parsed = fromEngine.parse(message);
      if ('event' in parsed) {
        // An event that this side does not know comes from a newer engine, and is nobody's business here.
        if (Object.hasOwn(events, parsed.event)) onEvent(parsed.event as EventName, parsed.payload);
        return;
      }
      const entry = waiting.get(parsed.id);
      if (!entry) return;
      waiting.delete(parsed.id);
      if ('error' in parsed) entry.reject(fromWire(parsed.error));
      else entry.resolve(parsed.result);
    },
    fail(reason) {
      const pending = [...waiting.values()];
      waiting.clear();
      for (const { reject } of pending) reject(new UserError('unsupported', reason));
    },
  };
}

export interface Client extends Pick<Api, 'request' | 'on'>, Pick<Exchange<never>, 'receive' | 'fail'> {}

/** An exchange with the contract's types. @param send puts one message on the carrier */
export function createClient(send: (message: Ask) => void): Client {
  const listeners = new Map<string, Set<(payload: never) => void>>();
  const exchange = createExchange<Omit<Ask, 'id'>>(send, (event, payload) => {
    for (const listener of listeners.get(event) ?? []) listener(payload as never);
  });
  return {
    request: <N extends RequestName>(name: N, params: Params<N>) =>
      exchange.post({ name, params }) as Promise<Result<N>>,
    on<N extends EventName>(name: N, listener: (payload: EventPayload<N>) => void): () => void {
      const known = listeners.get(name) ?? new Set();
      listeners.set(name, known.add(listener));
      return () => known.delete(listener);
    },
    receive: exchange.receive,
    fail: exchange.fail,
  };
}

import type { EnvHttpProxyAgent, RequestInit, Response } from 'undici';

/** This machine itself is never behind the proxy. */
const here = ['localhost', '127.0.0.1', '[::1]'];

let agent: EnvHttpProxyAgent | undefined;

/**
 * Node's own `fetch` (up to 22) knows nothing of HTTP_PROXY, HTTPS_PROXY and NO_PROXY, without which many an office has
 * no way out.
 */
export async function fetchOutside(address: string, init: Omit<RequestInit, 'dispatcher'> = {}): Promise<Response> {
  // Loaded on first use: half a megabyte that no reconstruction needs.
  const { EnvHttpProxyAgent, fetch } = await import('undici');
  const direct = process.env.no_proxy ?? process.env.NO_PROXY ?? '';
  agent ??= new EnvHttpProxyAgent(
    direct.trim() === '*' ? {} : { noProxy: [direct, ...here].filter((entry) => entry !== '').join(',') },
  );
  return fetch(address, { ...init, dispatcher: agent });
}

/** Why a request failed: `fetch` only says that it did, the reason is its cause. */
export function connectionFailure(error: unknown): string {
  const cause = (error as Error).cause;
  // Several addresses of one host were tried.
  const first = cause instanceof AggregateError ? (cause.errors[0] as Error | undefined) : cause;
  return first instanceof Error && first.message ? first.message : (error as Error).message;
}

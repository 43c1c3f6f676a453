import { protocol } from 'electron';
import { toWire } from '../contract/wire.js';
import type { EngineHost } from '../engine-process/host.js';
import { cacheControl } from '../server/caching.js';
import { securityHeaders } from '../server/guard.js';
import type { StaticFile } from '../server/static.js';
import { ORIGIN, SCHEME } from './addresses.js';

/** Before the program is ready: a standard, secure origin of its own, which `fetch` and streams may use. */
export function registerScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true, stream: true } },
  ]);
}

const headers = (more: Record<string, string>): Record<string, string> => ({ ...securityHeaders, ...more });

/**
 * What the renderer may load: files that were in its folder at the start, and resources of the open project by their
 * names. No path of the disk is ever made from an address.
 */
export function setupProtocol(engine: EngineHost, files: ReadonlyMap<string, StaticFile>): void {
  protocol.handle(SCHEME, async ({ url, method }) => {
    const { pathname, host } = new URL(url);
    if (`${SCHEME}://${host}` !== ORIGIN || method !== 'GET')
      return new Response('refused', { status: 403, headers: headers({}) });
    if (pathname.startsWith('/binary/')) return binary(engine, pathname.slice('/binary/'.length));
    const file = files.get(pathname === '/' ? '/index.html' : pathname);
    if (!file) return new Response('not found', { status: 404, headers: headers({}) });
    return new Response(new Uint8Array(file.bytes), { headers: headers({ 'Content-Type': file.type }) });
  });
}

async function binary(engine: EngineHost, name: string): Promise<Response> {
  try {
    const { type, bytes } = await engine.binary(name);
    return new Response(bytes as Uint8Array<ArrayBuffer>, {
      headers: headers({ 'Content-Type': type, 'Cache-Control': cacheControl(name) }),
    });
  } catch (error) {
    const { code, message } = toWire(error);
    return new Response(message, {
      status: code === 'not-found' ? 404 : 500,
      headers: headers({ 'Content-Type': 'text/plain; charset=utf-8' }),
    });
  }
}

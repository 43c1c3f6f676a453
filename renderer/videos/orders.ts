import { base64 } from '../transport/base64.js';
import { api } from '../transport/index.js';
import type { DecodeOrder, FromDecoder } from './decoder.js';

/** Characters of base64 in one message: the socket takes four megabytes. */
const PART = 2 ** 20;

/** Decodes videos for the engine where it asks for that: once for a window. @returns stops listening */
export function answerVideoOrders(): () => void {
  return api.on('video.wanted', ({ order }) => void claim(order));
}

async function claim(order: string): Promise<void> {
  const wanted = await api.request('video.claim', { order }).catch(() => null);
  if (!wanted) return;
  const error = await work(order, { ...wanted, url: address(`video/${order}/`) });
  // Whoever asked may be gone; there is nobody else to tell.
  await api.request('video.done', { order, ...(error ? { error } : {}) }).catch(() => undefined);
}

/** The thread may have no address of its own to start from. */
const address = (name: string): string => new URL(api.binaryUrl(name), location.href).href;

/** @returns why it could not be done */
function work(order: string, wanted: DecodeOrder): Promise<string | undefined> {
  const thread = new Worker(new URL('./decoder.ts', import.meta.url), { type: 'module' });
  return new Promise<string | undefined>((resolve) => {
    thread.onerror = ({ message }) => resolve(message || 'its decoder could not be started');
    thread.onmessage = ({ data }: MessageEvent<FromDecoder>) => {
      if (data.kind === 'done') resolve(data.error);
      else
        handOver(order, data).then(
          (goOn) => thread.postMessage(goOn),
          (error: unknown) => resolve((error as Error).message),
        );
    };
    thread.postMessage(wanted);
  }).finally(() => thread.terminate());
}

async function handOver(order: string, message: Exclude<FromDecoder, { kind: 'done' }>): Promise<boolean> {
  if (message.kind === 'frames') {
    const { kind: _, frames, ...facts } = message;
    const coded = frames.map(({ seconds, grey }) => ({ seconds, grey: base64(grey) }));
    return (await api.request('video.frames', { order, ...facts, frames: coded })).goOn;
  }
  const coded = base64(message.jpeg);
  let goOn = true;
  for (let at = 0; at < coded.length && goOn; at += PART) {
    const part = { index: message.index, jpeg: coded.slice(at, at + PART), last: at + PART >= coded.length };
    ({ goOn } = await api.request('video.picture', { order, ...part }));
  }
  return goOn;
}

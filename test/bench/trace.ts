/**
 * The longest tasks of the page's main thread. Where other programs run at the same time the processor time is what the
 * page itself takes.
 *
 * @returns milliseconds
 */
export function longestTasks(trace: Buffer): { wall: number; processor: number } {
  interface TraceEvent {
    name: string;
    ph: string;
    pid: number;
    tid: number;
    dur?: number;
    tdur?: number;
    args?: { name?: string };
  }
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] };
  const main = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid} ${tid}`),
  );
  const tasks = traceEvents.filter(
    ({ name, ph, pid, tid }) => ph === 'X' && name.endsWith('RunTask') && main.has(`${pid} ${tid}`),
  );
  const longest = (of: 'dur' | 'tdur'): number =>
    Math.round(tasks.reduce((most, task) => Math.max(most, task[of] ?? 0), 0) / 1000);
  return { wall: longest('dur'), processor: longest('tdur') };
}

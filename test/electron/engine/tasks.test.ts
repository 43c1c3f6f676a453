import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UserError } from '../../../electron/contract/errors.js';
import { Engine } from '../../../electron/engine/engine.js';
import { Tasks } from '../../../electron/engine/tasks.js';
import { Project } from '../../../electron/project/project.js';

/** A promise to be kept by hand. */
function pending<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: Error) => void } {
  let [resolve, reject]: [(value: T) => void, (error: Error) => void] = [() => undefined, () => undefined];
  const promise = new Promise<T>((keep, fail) => ([resolve, reject] = [keep, fail]));
  return { promise, resolve, reject };
}

describe('tasks', () => {
  test('in order begin when the ones before have ended, also by a failure; of another name at once', async () => {
    const tasks = new Tasks();
    const told: string[] = [];
    const first = pending<void>();
    const a = tasks.inOrder('mutation', async () => {
      told.push('a begins');
      await first.promise;
    });
    const b = tasks.inOrder('mutation', () => told.push('b'));
    await tasks.inOrder('adding', () => told.push('another'));
    first.reject(new Error('broken'));
    await expect(a).rejects.toThrow('broken');
    await b;
    expect(told).toEqual(['a begins', 'another', 'b']);
  });

  test('joined are one', async () => {
    const tasks = new Tasks();
    const work = pending<number>();
    let begun = 0;
    const join = () =>
      tasks.joined('beginning', () => {
        begun++;
        return work.promise;
      });
    const both = [join(), join()];
    work.resolve(7);
    expect(await Promise.all(both)).toEqual([7, 7]);
    expect(begun).toBe(1);
    await join();
    expect(begun).toBe(2);
  });

  test('one instead of another cancels it; one alone is refused while there is one, and can be cancelled', async () => {
    const tasks = new Tasks();
    const untilCancelled = (signal: AbortSignal) =>
      new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    const first = tasks.instead('cloud', untilCancelled);
    const second = tasks.instead('cloud', () => Promise.resolve('built'));
    await expect(first).rejects.toThrow('a later one has taken its place');
    expect(await second).toBe('built');
    const one = tasks.alone('export', 'busy', untilCancelled);
    await expect(tasks.alone('export', 'busy', untilCancelled)).rejects.toThrow('busy');
    tasks.cancel('export', new UserError('cancelled', 'enough'));
    await expect(one).rejects.toThrow('enough');
    expect(await tasks.alone('export', 'busy', () => Promise.resolve(1))).toBe(1);
  });

  test('are settled with those that were asked for meanwhile', async () => {
    const tasks = new Tasks();
    const [first, second] = [pending<void>(), pending<void>()];
    let settled = false;
    const one = tasks.inOrder('adding', () => first.promise);
    const all = tasks.settled('adding').then(() => (settled = true));
    const two = tasks.inOrder('adding', () => second.promise);
    first.resolve();
    await one;
    expect(settled).toBe(false);
    second.resolve();
    await two;
    await all;
    expect(settled).toBe(true);
  });
});

describe('an engine that is asked several things at once', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'pointmap-tasks-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('leaves no project open but the last', async () => {
    const engine = new Engine({ dataFolder: join(folder, 'data') });
    const paths = ['a', 'b', 'c'].map((name) => join(folder, `${name}.pointmap`));
    await Promise.all(paths.map((path) => engine.request('project.create', { path })));
    expect((await engine.request('project.state', {}))!.path).toBe(paths[2]);
    // Held by nobody: opened here they would be refused otherwise.
    for (const path of paths.slice(0, 2)) Project.open(path).close();
    await engine.close();
  });

  test('loses no edit that is made while the project is saved under another name', async () => {
    const engine = new Engine({ dataFolder: join(folder, 'data') });
    const target = join(folder, 'saved.pointmap');
    await engine.request('project.create', { path: join(folder, 'first.pointmap') });
    const edit = { kind: 'settings', settings: { minConfidence: 7 } } as const;
    await Promise.all([engine.request('project.saveAs', { path: target }), engine.request('edit.apply', { edit })]);
    expect((await engine.request('project.state', {}))!).toMatchObject({
      path: target,
      settings: { minConfidence: 7 },
    });
    await engine.close();
  });
});

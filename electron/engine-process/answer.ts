import type { Logger } from 'pino';
import { events, type EventName } from '../contract/api.js';
import { UserError } from '../contract/errors.js';
import { ask, askBinary, toWire } from '../contract/wire.js';
import type { Engine } from '../engine/engine.js';
import type { ShellChannel } from './channel.js';

/** What is needed to refuse a message that is none of the protocol's: somebody waits for an answer with this number. */
const addressed = ask.pick({ id: true });

/** Answers a shell's questions from the engine, as contract/wire.ts has it, and passes on every event. */
export function answerShell(engine: Engine, channel: ShellChannel, log: Logger): void {
  for (const name of Object.keys(events) as EventName[]) {
    engine.on(name, (payload) => channel.send({ event: name, payload }));
  }
  let stage = '';
  engine.on('job.changed', (job) => {
    const now = `${job.state} ${job.stage ?? ''}`;
    if (now !== stage) log.info({ job }, 'job');
    stage = now;
  });
  engine.on('log.line', ({ message }) => log.info(message));

  const reply = async (id: number, what: string, work: Promise<unknown>): Promise<void> => {
    const message = await work.then(
      (result) => ({ id, result }),
      (error: unknown) => {
        if (error instanceof UserError) log.info({ code: error.code, error: error.message }, what);
        else log.error({ err: error }, what);
        return { id, error: toWire(error) };
      },
    );
    channel.send(message);
  };
  channel.listen((message) => {
    const question = ask.safeParse(message);
    if (question.success)
      return void reply(
        question.data.id,
        question.data.name,
        engine.handle(question.data.name, question.data.params ?? {}),
      );
    const resource = askBinary.safeParse(message);
    if (resource.success)
      return void reply(resource.data.id, resource.data.binary, engine.binary(resource.data.binary));
    // Thrown here, in a listener, an error would end the engine and the run with it.
    log.error('a message that is not one of this protocol was ignored');
    const number = addressed.safeParse(message);
    if (number.success)
      channel.send({
        id: number.data.id,
        error: toWire(new UserError('usage', 'the engine does not understand this message')),
      });
  });
}

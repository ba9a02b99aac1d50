import { expect, test } from 'vitest';
import { interruptible, type Stoppable } from '../../../src/cli/capture/interruptible.ts';
import { logger } from '../../../src/cli/logger.ts';

const LOG = logger({ quiet: true, verbose: false });

/** A signal as the process gets it. */
const interrupt = () => void process.emit('SIGHUP');

/** A capture that notes how it is asked to end. */
function played() {
  const asked: string[] = [];
  const running = { stop: (cause: string) => void asked.push(cause), terminate: () => void asked.push('at once') };
  return { run: { running } as unknown as Parameters<Stoppable>[0], asked };
}

test('before a capture runs a signal aborts what is under way', async () => {
  await interruptible(async (signal) => {
    interrupt();
    expect(signal.reason).toMatchObject({ code: 'INTERRUPTED' });
    return 0;
  });
});

test('the first signal ends a capture in order, the second one at once', async () => {
  const { run, asked } = played();
  await interruptible(async (signal, stoppable) => {
    stoppable(run, LOG);
    interrupt();
    expect(asked).toEqual(['user']);
    interrupt();
    expect(asked).toEqual(['user', 'at once']);
    expect(signal.aborted).toBe(false);
    return 0;
  });
});

test('a signal that comes when a capture has been taken back is not lost: none begins again', async () => {
  const { run, asked } = played();
  await interruptible(async (signal, stoppable) => {
    stoppable(run, LOG);
    stoppable(undefined, LOG);
    interrupt();
    expect(asked).toEqual([]);
    expect(signal.reason).toMatchObject({ code: 'INTERRUPTED' });
    return 0;
  });
});

test('when it is over signals are handled no more', async () => {
  const before = process.listenerCount('SIGHUP');
  expect(await interruptible(async () => 'made')).toBe('made');
  expect(process.listenerCount('SIGHUP')).toBe(before);
});

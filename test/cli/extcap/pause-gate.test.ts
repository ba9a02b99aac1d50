import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { PauseGate } from '../../../src/cli/extcap/pause-gate.ts';

test('while it is shut nothing passes and writers wait; then all comes in order, and its end', async () => {
  const to = new PassThrough();
  const gate = new PauseGate(to);
  const read: string[] = [];
  to.on('data', (chunk: Buffer) => read.push(chunk.toString()));
  gate.write('a');
  await turn();
  gate.shut();
  let taken = 0;
  for (const text of ['b', 'c']) gate.write(text, () => taken++);
  gate.end();
  await turn();
  expect([read, taken]).toEqual([['a'], 0]);
  gate.open();
  await once(to, 'end');
  expect([read, taken]).toEqual([['a', 'b', 'c'], 2]);
});

test('a reader that went away is told to the writer, as an error of the gate', async () => {
  const to = new PassThrough();
  const gate = new PauseGate(to);
  const failed = once(gate, 'error');
  to.destroy(new Error('gone'));
  expect(await failed).toEqual([new Error('gone')]);
});

import { expect, test } from 'vitest';
import * as methods from '../../../../src/analyze/protocols/amqp/methods.ts';

const { METHODS, REPLIES, methodId } = methods;

/** Numbers of the classes (AMQP 0-9-1, and RabbitMQ's confirm). */
const CLASSES = { connection: 10, channel: 20, exchange: 40, queue: 50, basic: 60, confirm: 85, tx: 90 };
/** Of all methods; the specification has the pairs `x` and `x-ok` with numbers next to each other, this one excepted. */
const COUNT = 64;
const UNBIND_OK = methodId(40, 51);

const all = [...METHODS.values()];
const partsOf = (id: number) => [Math.floor(id / 65_536), id % 65_536] as const;

test('each method has the number of its class and a name of its own', () => {
  expect([all.length, new Set(all.map(({ name }) => name)).size]).toEqual([COUNT, COUNT]);
  for (const { name, id } of all) {
    const [className = ''] = name.split('.');
    expect([name, partsOf(id)[0]]).toEqual([name, CLASSES[className as keyof typeof CLASSES]]);
  }
});

test('requests have numbers of ten, and their answers those behind', () => {
  for (const { name, id } of all) {
    const isAnswer = /-(?:ok|empty)$|^connection.unblocked$/.test(name);
    expect([name, partsOf(id)[1] % 10]).toEqual([name, isAnswer ? (name === 'basic.get-empty' ? 2 : 1) : 0]);
  }
});

test('what answers a method is called after it and comes from the other side', () => {
  const answered: number[] = [];
  for (const { name, id, from, replies } of all) {
    for (const reply of replies) {
      const answer = METHODS.get(reply);
      expect([`${name}-ok`, `${name}-empty`]).toContain(answer?.name);
      expect([name, answer?.from]).toEqual([name, from === undefined ? undefined : 1 - from]);
      if (reply !== UNBIND_OK) expect(partsOf(reply)[1] - partsOf(id)[1]).toBe(answer?.name.endsWith('empty') ? 2 : 1);
      answered.push(reply);
    }
  }
  // Those that close have no answer that a request waits for.
  const closing = ['connection.open-ok', 'connection.close-ok', 'connection.tune-ok', 'channel.close-ok'];
  const missing = all.filter(({ name, id }) => /-(?:ok|empty)$/.test(name) && !answered.includes(id));
  expect(missing.map(({ name }) => name).filter((name) => !closing.includes(name))).toEqual([]);
  expect([...REPLIES].sort()).toEqual([...new Set(answered)].sort());
});

test.each([
  [methods.START_OK, 'connection.start-ok'],
  [methods.CONNECTION_CLOSE, 'connection.close'],
  [methods.CONNECTION_BLOCKED, 'connection.blocked'],
  [methods.CHANNEL_CLOSE, 'channel.close'],
  [methods.CHANNEL_CLOSE_OK, 'channel.close-ok'],
  [methods.DECLARE_OK, 'queue.declare-ok'],
  [methods.CONSUME, 'basic.consume'],
  [methods.CONSUME_OK, 'basic.consume-ok'],
  [methods.PUBLISH, 'basic.publish'],
  [methods.RETURN, 'basic.return'],
  [methods.DELIVER, 'basic.deliver'],
  [methods.GET_OK, 'basic.get-ok'],
  [methods.ACK, 'basic.ack'],
  [methods.REJECT, 'basic.reject'],
  [methods.NACK, 'basic.nack'],
])('%i is %s', (id, name) => {
  expect(METHODS.get(id)?.name).toBe(name);
});

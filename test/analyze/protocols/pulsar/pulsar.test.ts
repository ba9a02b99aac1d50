import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { pulsar } from '../../../../src/analyze/protocols/pulsar/index.ts';
import { brief, briefOfFile } from '../brief.ts';
import { conversations } from '../conversations.ts';
import { inventsNothing, likesNoNoise, sameHoweverCut, survivesMutations } from '../hardiness.ts';
import { play, type Step } from '../play.ts';

function varint(value: bigint): number[] {
  return value < 128n ? [Number(value)] : [Number(value & 127n) | 128, ...varint(value >> 7n)];
}

type Value = number | bigint | string;

/** A command with its fields by number, as PulsarApi.proto has it; `payload` follows that of a message. */
function command(type: number, fields: Readonly<Record<number, Value>>, payload = ''): Buffer {
  const inner = Object.entries(fields).flatMap(([field, value]) => {
    if (typeof value !== 'string') return [Number(field) << 3, ...varint(BigInt(value))];
    return [(Number(field) << 3) | 2, ...varint(BigInt(value.length)), ...Buffer.from(value)];
  });
  const outer = Buffer.from([8, type, ...varint(BigInt((type << 3) | 2)), ...varint(BigInt(inner.length)), ...inner]);
  const lengths = Buffer.alloc(8);
  lengths.writeInt32BE(4 + outer.length + payload.length);
  lengths.writeInt32BE(outer.length, 4);
  return Buffer.concat([lengths, outer, Buffer.from(payload)]);
}

const TOPIC = 'persistent://public/default/orders';
const ALL: Step[] = [
  [0, command(2, { 1: '3.2.0', 3: 'hunter2', 4: 21, 5: 'token' })],
  [1, command(3, { 1: 'Pulsar Server3.0', 2: 21 })],
  [0, command(21, { 1: TOPIC, 2: 1 })],
  [1, command(22, { 1: 0, 2: 1, 3: 0 })],
  [0, command(23, { 1: TOPIC, 2: 2, 3: 0 })],
  [1, command(24, { 1: 'pulsar://b:6650', 3: 1, 4: 2, 5: 1 })],
  [0, command(5, { 1: TOPIC, 2: 0, 3: 3 })],
  [1, command(17, { 1: 3, 2: 'standalone-0-0' })],
  [0, command(6, { 1: 0, 2: 0 }, 'hunter2')],
  [0, command(6, { 1: 0, 2: 1 }, 'hunter2')],
  [1, command(7, { 1: 0, 2: 0 })],
  [1, command(8, { 1: 0, 2: 1, 3: 15, 4: 'topic terminated, token=abcdef123456' })],
  [0, command(4, { 1: 'none', 2: 'billing', 3: 0, 4: 1, 5: 4 })],
  [1, command(14, { 1: 4, 2: 11, 3: 'no such topic' })],
  [0, command(23, { 1: 'other', 2: 5 })],
  [1, command(24, { 3: 2, 4: 5, 6: 4, 7: 'denied' })],
  [1, command(9, { 1: 1 }, 'hunter2')],
  [0, command(10, { 1: 1 })],
  [1, command(18, {})],
  [0, command(19, {})],
  [1, command(15, { 1: 0, 2: 77 })],
  [0, command(12, { 1: 1, 2: 6 })],
];

test('commands, sends, errors, what the server pushes; cut anywhere; no credential', () => {
  const events = sameHoweverCut(pulsar, ALL);
  expect(brief(events)).toEqual([
    'CONNECT = ok',
    `PARTITIONED_METADATA ${TOPIC} = ok`,
    `LOOKUP ${TOPIC} = ok`,
    `PRODUCER ${TOPIC} = ok`,
    `SEND ${TOPIC} = ok`,
    `SEND ${TOPIC} = TopicTerminatedError topic terminated, token=***!`,
    'SUBSCRIBE none = TopicNotFound no such topic!',
    'LOOKUP other = AuthorizationError denied!',
    'message MESSAGE from server',
    'message CLOSE_PRODUCER from server',
    'UNSUBSCRIBE = ! [no response]',
  ]);
  expect(JSON.stringify(events)).not.toMatch(/hunter2|abcdef/);
  expect(events[5]).toMatchObject({
    route: `SEND ${TOPIC}`,
    fields: { pulsar: { command: 'SEND', topic: TOPIC, error: 'TopicTerminatedError' } },
  });
});

test('a CONNECT that is refused', () => {
  const refused = command(14, { 1: 2n ** 64n - 1n, 2: 3, 3: 'no' });
  expect(brief(play(pulsar, [ALL[0] as Step, [1, refused]]))).toEqual(['CONNECT = AuthenticationError no!']);
});

test('from the middle of a connection: topics that were not named are left out', () => {
  const steps = ALL.slice(8, 12);
  expect(brief(play(pulsar, steps, { midstream: true })).map((line) => line.split(' = ')[0])).toEqual(['SEND', 'SEND']);
});

test('who speaks, what is missing, noise and any bytes', () => {
  const probe = (bytes: Uint8Array) => pulsar.probe(bytes, 0, bytes.length);
  const looks = ALL.map(([side, what]) => [side, probe(what as Uint8Array)] as const);
  for (const [side, likeness] of looks) expect([side === 0 ? 'client' : 'server', 'either']).toContain(likeness);
  expect(probe(command(2, { 1: '3.2.0' }).subarray(0, 9))).toBe('more');
  expect(probe(Buffer.from('0000000a00000006080210020000', 'hex'))).toBe('no');
  inventsNothing(pulsar, ALL, ({ label }) => label.replace(` ${TOPIC}`, ''));
  survivesMutations(pulsar, [ALL], 250);
  likesNoNoise(pulsar, 100_000);
});

test('transactions that fail, and lists of topics that are watched', () => {
  expect(
    brief(
      sameHoweverCut(pulsar, [
        [0, command(62, { 1: 1, 2: 0 })],
        [1, command(63, { 1: 1, 2: 20, 3: 'no coordinator' })],
        [0, command(50, { 1: 2, 2: 10 })],
        [1, command(51, { 1: 2, 2: 7, 3: 1 })],
        [0, command(52, { 1: 3, 2: 7, 3: 1, 4: TOPIC })],
        [1, command(53, { 1: 3, 2: 7, 3: 1, 4: 24, 5: 'gone' })],
        [0, command(56, { 1: 4, 2: 7, 3: 1, 4: 0 })],
        [1, command(57, { 1: 4, 2: 7, 3: 1, 4: 23 })],
        [0, command(64, { 1: 5, 2: 0, 3: 'public/default', 4: '.*' })],
        [1, command(65, { 1: 5, 2: 0, 4: 'hash' })],
        [1, command(66, { 1: 0, 4: 'hash' })],
        [0, command(67, { 1: 6, 2: 0 })],
        [1, command(13, { 1: 6 })],
      ]),
    ),
  ).toEqual([
    'TC_CLIENT_CONNECT = TransactionCoordinatorNotFound no coordinator!',
    'NEW_TXN = ok',
    'ADD_PARTITION_TO_TXN = TransactionNotFound gone!',
    'END_TXN = TransactionConflict!',
    'WATCH_TOPIC_LIST = ok',
    'WATCH_TOPIC_LIST_CLOSE = ok',
  ]);
});

test('a command that was not captured whole: nothing is said of the part that is missing', () => {
  const cut = (side: 0 | 1, bytes: Buffer, kept: number): Step[] => [
    [side, bytes.subarray(0, kept)],
    [side, { gap: bytes.length - kept }],
  ];
  const schema: Step = [0, command(34, { 1: 8, 2: TOPIC })];
  // Behind the id may be an error.
  const failed = command(35, { 1: 8, 2: 11, 3: 'no such topic' });
  expect(brief(play(pulsar, [schema, ...cut(1, failed, 15)]))).toEqual([
    `GET_SCHEMA ${TOPIC} =  [response not captured]`,
  ]);
  const lookup: Step = [0, command(23, { 1: TOPIC, 2: 2 })];
  const found = command(24, { 1: 'pulsar://b:6650', 3: 1, 4: 2, 5: 1 });
  expect(brief(play(pulsar, [lookup, ...cut(1, found, found.length - 2)]))).toEqual([
    `LOOKUP ${TOPIC} = ok [response not captured]`,
  ]);
  // Its id is at its end: it is a request all the same.
  const subscribe = command(4, { 1: TOPIC, 2: 'billing', 3: 0, 4: 1, 5: 4 });
  const refused: Step = [1, command(14, { 1: 4, 2: 11, 3: 'no' })];
  expect(brief(play(pulsar, [...cut(0, subscribe, 60), refused]))).toEqual([
    '(request not seen) = TopicNotFound no! [request not seen]',
  ]);
});

/** The C++ client 3.x (PyPI's pulsar-client) with a server that answers as PulsarApi.proto has it. */
const CLIENT = fileURLToPath(new URL('../captures/pulsar.pcap', import.meta.url));

test('a real client', async () => {
  const said = await briefOfFile(CLIENT);
  for (const line of [
    'CONNECT = ok',
    `SEND ${TOPIC} = ok`,
    'LOOKUP persistent://public/default/bad = AuthorizationError denied!',
    `SUBSCRIBE ${TOPIC} = ok`,
  ])
    expect(said).toContain(line);
  expect(said.filter((line) => /PROTOCOL_LOST|\[/.test(line))).toEqual([]);
  expect(said.join()).not.toContain('hunter2');
  for (const steps of conversations(CLIENT)) sameHoweverCut(pulsar, steps);
});

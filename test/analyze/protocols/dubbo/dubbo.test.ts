import { expect, test } from 'vitest';
import { dubbo } from '../../../../src/analyze/protocols/dubbo/index.ts';
import { brief } from '../brief.ts';
import { likesNoNoise, sameHoweverCut, survivesMutations } from '../hardiness.ts';
import { play, type Step } from '../play.ts';

function message(flags: number, status: number, id: number, body: Buffer): Buffer {
  const head = Buffer.alloc(16);
  head.writeUInt16BE(0xdabb);
  head[2] = flags;
  head[3] = status;
  head.writeBigInt64BE(BigInt(id), 4);
  head.writeInt32BE(body.length, 12);
  return Buffer.concat([head, body]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return value.length < 32
    ? Buffer.concat([Buffer.of(value.length), bytes])
    : Buffer.concat([Buffer.of(0x30 + (value.length >> 8), value.length & 255), bytes]);
}

const called = (method: string) =>
  Buffer.concat([
    ...['2.0.2', 'com.shop.api.inventory.CartService', '1.0.0', method, 'Ljava/lang/String;', 'hunter2'].map(text),
    Buffer.from('H'),
  ]);
const call = (id: number, method: string, flags = 0xc2) => message(flags, 0, id, called(method));
const SERVICE = 'com.shop.api.inventory.CartService';

const VALUE = Buffer.concat([Buffer.of(0x91), text('hunter2')]);
const THROWN = Buffer.concat([Buffer.of(0x93, 0x43), text('com.shop.NotFoundException'), Buffer.of(0x92)]);

const ALL: Step[][] = [
  [
    [0, call(1, 'add')],
    [0, call(2, 'remove')],
    [1, message(2, 20, 2, THROWN)],
    [1, message(2, 20, 1, VALUE)],
    [0, call(3, 'log', 0x82)],
    [0, message(0xe2, 0, 4, Buffer.from('N'))],
    [1, message(0x22, 20, 4, Buffer.from('N'))],
    [1, message(0xe2, 0, 9, Buffer.from('N'))],
    [0, message(0x22, 20, 9, Buffer.from('N'))],
    [0, call(5, 'find')],
    [1, message(2, 60, 5, text('Service not found, token=abcdef123456'))],
    [0, message(0xc6, 0, 6, Buffer.from(`"2.0.2"\n"${SERVICE}"\n"1.0.0"\n"json"\n"x"\n`))],
    [1, message(6, 20, 6, Buffer.from('1\n"hunter2"\n'))],
    [0, message(0xd6, 0, 7, Buffer.of(1, 2, 3))],
  ],
];

test('calls, exceptions, refusals, heartbeats and one-way calls, cut anywhere', () => {
  const events = sameHoweverCut(dubbo, ALL[0] ?? []);
  expect(brief(events)).toEqual([
    `${SERVICE}.remove = NotFoundException!`,
    `${SERVICE}.add = OK`,
    `message ${SERVICE}.log from client`,
    '(heartbeat) = OK',
    'message (heartbeat) from server',
    `${SERVICE}.find = SERVICE_NOT_FOUND!`,
    `${SERVICE}.json = OK`,
    '(serialization 22) = ! [no response]',
  ]);
  expect(JSON.stringify(events)).not.toMatch(/hunter2|abcdef/);
  expect(events[0]).toMatchObject({
    route: `${SERVICE}.remove`,
    fields: {
      dubbo: { service: SERVICE, method: 'remove', version: '1.0.0', exception: 'com.shop.NotFoundException' },
    },
  });
  expect(play(dubbo, ALL[0] ?? [], { detail: false }).map(({ label }) => label)).toEqual(
    events.map(({ label }) => label),
  );
});

test('after a loss the next message is found, and ids pair', () => {
  const steps: Step[] = [
    [0, call(1, 'add')],
    [1, { gap: 30 }],
    [0, call(2, 'remove')],
    [1, message(2, 20, 2, VALUE)],
  ];
  expect(brief(play(dubbo, steps))).toEqual([`${SERVICE}.remove = OK`, `${SERVICE}.add =  [response not captured]`]);
  expect(brief(play(dubbo, [[1, message(2, 20, 2, THROWN)]], { midstream: true }))).toEqual([
    '(request not seen) = NotFoundException! [request not seen]',
  ]);
});

test('an exception in JSON', () => {
  const ask: Step = [0, message(0xc6, 0, 6, Buffer.from(`"2.0.2"\n"${SERVICE}"\n"1.0.0"\n"json"\n"x"\n`))];
  const thrown: Step = [1, message(6, 20, 6, Buffer.from('0\n{"message":"hunter2"}\n'))];
  expect(brief(sameHoweverCut(dubbo, [ask, thrown]))).toEqual([`${SERVICE}.json = exception!`]);
});

test('a message that was not captured whole: nothing is said of the part that is missing', () => {
  const cut = (side: 0 | 1, bytes: Buffer, kept: number): Step[] => [
    [side, bytes.subarray(0, kept)],
    [side, { gap: bytes.length - kept }],
  ];
  const ask: Step = [0, call(1, 'add')];
  const thrown = message(2, 20, 1, THROWN);
  expect(brief(play(dubbo, [ask, ...cut(1, thrown, 16)]))).toEqual([`${SERVICE}.add =  [response not captured]`]);
  expect(brief(play(dubbo, [ask, ...cut(1, thrown, 17)]))).toEqual([
    `${SERVICE}.add = exception! [response not captured]`,
  ]);
  const value: Step = [1, message(2, 20, 1, VALUE)];
  const [event] = play(dubbo, [...cut(0, call(1, 'add'), 16 + 6 + 2 + SERVICE.length + 1), value]);
  expect(brief(event === undefined ? [] : [event])).toEqual(['(method not seen) = OK [request not captured]']);
  expect(event?.fields).toEqual({ dubbo: { service: SERVICE, status: 'OK' } });
});

test('who speaks; noise is not Dubbo; any bytes', () => {
  const probe = (bytes: Buffer) => dubbo.probe(bytes, 0, bytes.length);
  expect(
    [call(1, 'a'), message(2, 20, 1, VALUE), message(0xe2, 0, 1, Buffer.from('N')), call(1, 'a').subarray(0, 9)].map(
      probe,
    ),
  ).toEqual(['client', 'server', 'either', 'more']);
  expect([message(2, 21, 1, VALUE), message(0xc2, 1, 1, VALUE), message(0xc0, 0, 1, VALUE)].map(probe)).toEqual([
    'no',
    'no',
    'no',
  ]);
  likesNoNoise(dubbo, 200_000);
  survivesMutations(dubbo, ALL, 600);
});

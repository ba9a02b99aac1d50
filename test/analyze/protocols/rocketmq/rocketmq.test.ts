import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { rocketmq } from '../../../../src/analyze/protocols/rocketmq/index.ts';
import { brief, briefOfFile } from '../brief.ts';
import { conversations } from '../conversations.ts';
import { inventsNothing, likesNoNoise, sameHoweverCut, survivesMutations } from '../hardiness.ts';
import { play, type Step } from '../play.ts';

function frame(type: number, header: Buffer, body: string): Buffer {
  const lengths = Buffer.alloc(8);
  lengths.writeInt32BE(4 + header.length + body.length);
  lengths.writeInt32BE((type << 24) | header.length, 4);
  return Buffer.concat([lengths, header, Buffer.from(body)]);
}

function json(
  code: number,
  flag: number,
  opaque: number,
  extFields: Record<string, string> = {},
  remark?: string,
): Buffer {
  const header = {
    code,
    extFields,
    flag,
    language: 'GO',
    opaque,
    remark,
    serializeTypeCurrentRPC: 'JSON',
    version: 317,
  };
  return frame(0, Buffer.from(JSON.stringify(header)), 'hunter2');
}

function binary(code: number, flag: number, opaque: number, fields: Record<string, string>, remark = ''): Buffer {
  const text = (size: 2 | 4, value: string) => {
    const length = Buffer.alloc(size);
    length.writeUIntBE(value.length, 0, size);
    return Buffer.concat([length, Buffer.from(value)]);
  };
  const given = Buffer.concat(Object.entries(fields).flatMap(([name, value]) => [text(2, name), text(4, value)]));
  const head = Buffer.alloc(13);
  head.writeInt16BE(code);
  head[2] = 0;
  head.writeInt16BE(400, 3);
  head.writeInt32BE(opaque, 5);
  head.writeInt32BE(flag, 9);
  return frame(1, Buffer.concat([head, text(4, remark), text(4, given.toString('latin1'))]), 'hunter2');
}

const ALL: Step[][] = [
  [
    [0, json(105, 0, 1, { topic: 'orders', Signature: 'hunter2', AccessKey: 'hunter2' })],
    [1, json(0, 1, 1)],
    [0, json(310, 0, 2, { a: 'shop', b: 'orders', i: 'x' })],
    [0, json(11, 0, 3, { consumerGroup: 'billing', topic: 'orders' })],
    [1, json(19, 1, 3)],
    [1, json(16, 1, 2, {}, 'no permission, token=abcdef123456')],
    [0, json(10, 2, 4, { topic: 'log' })],
    [0, json(34, 0, 5)],
    [1, json(0, 1, 5)],
    [1, json(40, 2, 9, { consumerGroup: 'billing' })],
    [1, json(307, 0, 10, { consumerGroup: 'billing' })],
    [0, json(0, 1, 10)],
    [0, json(14, 0, 6, { consumerGroup: 'billing' })],
  ],
  [
    [0, binary(105, 0, 1, { topic: 'orders' })],
    [1, binary(17, 1, 1, { a: 'b' }, 'No topic')],
  ],
];

test('commands with headers in JSON, cut anywhere', () => {
  const events = sameHoweverCut(rocketmq, ALL[0] ?? []);
  expect(brief(events)).toEqual([
    'GET_ROUTEINFO_BY_TOPIC orders = SUCCESS',
    'PULL_MESSAGE orders = PULL_NOT_FOUND',
    'SEND_MESSAGE_V2 orders = NO_PERMISSION no permission, token=***!',
    'message SEND_MESSAGE log from client',
    'HEART_BEAT = SUCCESS',
    'message NOTIFY_CONSUMER_IDS_CHANGED from server',
    'message GET_CONSUMER_RUNNING_INFO billing from server',
    'QUERY_CONSUMER_OFFSET billing = ! [no response]',
  ]);
  expect(JSON.stringify(events)).not.toMatch(/hunter2|abcdef/);
  expect(events[2]).toMatchObject({
    route: 'SEND_MESSAGE_V2 orders',
    fields: { rocketmq: { topic: 'orders', group: 'shop' } },
  });
  expect(
    play(rocketmq, ALL[0] ?? [], { detail: false }).map((event) => event.kind === 'exchange' && event.label),
  ).toContain('QUERY_CONSUMER_OFFSET');
});

test("headers in RocketMQ's own form", () => {
  expect(brief(sameHoweverCut(rocketmq, ALL[1] ?? []))).toEqual([
    'GET_ROUTEINFO_BY_TOPIC orders = TOPIC_NOT_EXIST No topic!',
  ]);
});

test('who speaks, what is missing, noise and any bytes', () => {
  const probe = (bytes: Buffer) => rocketmq.probe(bytes, 0, bytes.length);
  const answer = json(0, 1, 1);
  expect([json(10, 0, 1), answer, answer.subarray(0, 40), answer.subarray(0, 3)].map(probe)).toEqual([
    'client',
    'server',
    'more',
    'more',
  ]);
  expect([binary(10, 0, 1, { a: 'b' }), binary(0, 1, 1, { a: 'b' }), binary(10, 0, 1, {})].map(probe)).toEqual([
    'client',
    'server',
    'no',
  ]);
  expect(probe(frame(0, Buffer.from('{"name":"x","code":1}'), ''))).toBe('no');
  for (const steps of ALL) inventsNothing(rocketmq, steps, ({ label }) => label);
  survivesMutations(rocketmq, ALL, 250);
  likesNoNoise(rocketmq, 100_000);
  expect(
    brief(
      play(
        rocketmq,
        [
          [1, answer],
          [0, json(34, 0, 2)],
          [1, json(0, 1, 2)],
        ],
        { midstream: true },
      ),
    ),
  ).toEqual(['(request not seen) = SUCCESS [request not seen]', 'HEART_BEAT = SUCCESS']);
});

test('a header that was not captured whole: no request is called unanswered, and no answer is dropped', () => {
  const ask: Step = [0, json(34, 0, 5)];
  const answer = json(0, 1, 5);
  const cut = (side: 0 | 1, bytes: Buffer, kept: number): Step[] => [
    [side, bytes.subarray(0, kept)],
    [side, { gap: bytes.length - kept }],
  ];
  expect(brief(play(rocketmq, [ask, ...cut(1, answer, 40)]))).toEqual(['HEART_BEAT =  [response not captured]']);
  expect(brief(play(rocketmq, [...cut(0, json(34, 0, 5), 40), [1, answer]]))).toEqual([
    '(request not seen) = SUCCESS [request not seen]',
  ]);
  // A header longer than what is kept of a command.
  const long = json(0, 1, 5, { properties: 'x'.repeat(9_000) });
  expect(brief(play(rocketmq, [ask, [1, long]]))).toEqual(['HEART_BEAT =  [response not captured]']);
});

/** Apache's Go client 2.1 with servers that answer as the protocol is written down. */
const CLIENT = fileURLToPath(new URL('../captures/rocketmq.pcap', import.meta.url));

test('a real client', async () => {
  const said = await briefOfFile(CLIENT);
  for (const line of [
    'GET_ROUTEINFO_BY_TOPIC orders = SUCCESS',
    'SEND_MESSAGE orders = SUCCESS',
    'SEND_MESSAGE orders = SYSTEM_BUSY busy!',
  ])
    expect(said).toContain(line);
  expect(said.filter((line) => /PROTOCOL_LOST|\[/.test(line))).toEqual([]);
  expect(said.join()).not.toContain('hunter2');
  for (const steps of conversations(CLIENT)) sameHoweverCut(rocketmq, steps);
});

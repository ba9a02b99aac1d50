import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { thrift } from '../../../../src/analyze/protocols/thrift/index.ts';
import { analyseFile } from '../../../support/analysis.ts';
import { brief, briefOfFile } from '../brief.ts';
import { conversations } from '../conversations.ts';
import { inventsNothing, likesNoNoise, sameHoweverCut, survivesMutations } from '../hardiness.ts';
import { play, type Step } from '../play.ts';
import { tsharkFields } from '../tshark-fields.ts';

/** Client and server of npm's thrift 0.2x: the binary and the compact protocol in frames, then both without. */
const REAL = fileURLToPath(new URL('../captures/thrift.pcap', import.meta.url));
const ALL = conversations(REAL);

const SAID = [
  'get = ok',
  'fail = exception 2!',
  'set = ok',
  'message log from client',
  'nothere = exception Unknown function nothere!',
  'get = ok',
];

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const name = (text: string) => Buffer.from(text).toString('hex');
/** A call without arguments, and its answers. */
const CALL = hex(`80010001 00000003 ${name('get')} 00000007 00`);
const VOID = hex(`80010002 00000003 ${name('get')} 00000007 00`);
const framed = (bytes: Buffer) => Buffer.concat([Buffer.of(0, 0, 0, bytes.length), bytes]);
const COMPACT = hex(`8221 07 03 ${name('get')} 00`);

test('real programs, with and without frames, binary and compact', async () => {
  expect(await briefOfFile(REAL)).toEqual([...SAID, ...SAID, ...SAID, ...SAID]);
  const { events } = await analyseFile(REAL);
  expect(JSON.stringify(events)).not.toContain('hunter2');
  const transports = events.map(({ event }) => (event.fields.thrift as { transport: string }).transport);
  expect([...new Set(transports)]).toEqual(['framed binary', 'framed compact', 'binary', 'compact']);
  expect(events[1]?.event).toMatchObject({
    route: 'fail',
    failed: true,
    fields: { thrift: { method: 'fail', exception: 2 } },
  });
});

test('the calls of the binary protocol that tshark sees; of the compact one it takes several calls for one', async () => {
  const as = [19101, 19103].flatMap((port) => ['-d', `tcp.port==${port},thrift`]);
  const seen = tsharkFields(
    REAL,
    '(thrift.mtype == 1 || thrift.mtype == 4) && tcp.dstport in {19101,19103}',
    ['tcp.stream', 'thrift.method'],
    as,
  );
  const ours = (await analyseFile(REAL)).events.flatMap(({ event, flow }) =>
    flow % 2 === 0 ? [[String(flow), event.label]] : [],
  );
  if (seen !== undefined) expect(ours).toEqual(seen);
});

test('without detail the same is counted', () => {
  for (const steps of ALL) {
    expect(brief(sameHoweverCut(thrift, steps))).toEqual(SAID);
    expect(brief(play(thrift, steps, { detail: false }))).toEqual(SAID);
  }
});

test.each<[string, Step[], string[]]>([
  ['no answer', [[0, CALL]], ['get = ! [no response]']],
  [
    'an answer that breaks off',
    [
      [0, framed(CALL)],
      [1, framed(VOID).subarray(0, 19)],
    ],
    ['get = ! [closed early]'],
  ],
  [
    'one before the capture',
    [
      [1, framed(VOID)],
      [0, framed(CALL)],
      [1, framed(VOID)],
    ],
    ['(request not seen) = ok [request not seen]', 'get = ok'],
  ],
  [
    'after a loss',
    [
      [0, CALL],
      [1, { gap: 5 }],
      [0, COMPACT],
      [1, hex(`8241 07 03 ${name('get')} 00`)],
    ],
    ['get =  [response not captured]', 'get = ok'],
  ],
])('%s', (_, steps, expected) => {
  expect(brief(play(thrift, steps, { midstream: _.includes('before') }))).toEqual(expected);
});

test.each([
  [CALL, 'client'],
  [VOID, 'server'],
  [framed(CALL), 'client'],
  [framed(VOID), 'server'],
  [COMPACT, 'client'],
  [framed(COMPACT), 'client'],
  [CALL.subarray(0, 1), 'more'],
  [CALL.subarray(0, 9), 'more'],
  [framed(CALL).subarray(0, 5), 'more'],
  [hex('80010005 00000003 676574 00000007 00'), 'no'],
  [hex('80010001 00000003 206574 00000007 00'), 'no'],
  [hex('80010001 00010003 676574 00000007 00'), 'no'],
  [hex('8221 07 01 61 00'), 'no'],
  [hex('00000002 8001'), 'no'],
])('%o looks like %s', (bytes, likeness) => {
  expect(thrift.probe(bytes, 0, bytes.length)).toBe(likeness);
});

test('any bytes: changed, missing, nested too deep', () => {
  survivesMutations(thrift, ALL, 600);
  likesNoNoise(thrift, 300_000);
  for (const steps of ALL) expect(inventsNothing(thrift, steps, ({ label }) => label)).toBeGreaterThan(0.6);
  const deep = Buffer.concat([CALL.subarray(0, 15), Buffer.from('0c0001'.repeat(200), 'hex')]);
  const lists = Buffer.concat([CALL.subarray(0, 15), hex('0f0001'), Buffer.from('0f00000001'.repeat(200), 'hex')]);
  for (const bytes of [deep, lists]) expect(brief(play(thrift, [[0, bytes]]))[0]).toContain('PROTOCOL_LOST');
});

import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { tns } from '../../../../src/analyze/protocols/tns/index.ts';
import { TNS_SEEK, tnsLikeness } from '../../../../src/analyze/protocols/tns/packet.ts';
import { brief, briefOfFile } from '../brief.ts';
import { conversations } from '../conversations.ts';
import { likesNoNoise, sameHoweverCut, survivesMutations } from '../hardiness.ts';
import { play, type Step } from '../play.ts';
import { tsharkFields } from '../tshark-fields.ts';

/** PyPI's oracledb 3 (its own driver) with a listener that refuses, as Oracle's do. */
const CLIENT = fileURLToPath(new URL('../captures/tns.pcap', import.meta.url));

function packet(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(8 + body.length);
  head[4] = type;
  return Buffer.concat([head, body]);
}

const DESCRIPTION =
  '(DESCRIPTION=(CONNECT_DATA=(SERVICE_NAME=shop)(CID=(PROGRAM=web)(HOST=h)(USER=clerk)))(PASSWORD=hunter2))';

function connect(description: string, isApart = false): Buffer {
  const fixed = Buffer.alloc(62);
  fixed.writeUInt16BE(318, 0);
  fixed.writeUInt16BE(300, 2);
  fixed.writeUInt16BE(description.length, 16);
  fixed.writeUInt16BE(70, 18);
  return packet(1, Buffer.concat([fixed, Buffer.from(isApart ? '' : description)]));
}

function refuse(code: number): Buffer {
  const text = `(DESCRIPTION=(TMP=)(VSNNUM=318767104)(ERR=${code})(ERROR_STACK=(ERROR=(CODE=${code})(EMFI=4))))`;
  return packet(4, Buffer.concat([Buffer.of(0x22, 0, 0, text.length), Buffer.from(text)]));
}

const ACCEPT = packet(2, Buffer.concat([Buffer.of(1, 0x3e), Buffer.alloc(22)]));

/** Behind an ACCEPT of version 318 lengths have four bytes. */
function data(body: Buffer): Buffer {
  const head = Buffer.alloc(10);
  head.writeUInt32BE(10 + body.length);
  head[4] = 6;
  return Buffer.concat([head, body]);
}

const FAILED = data(
  Buffer.concat([Buffer.of(4, 1, 5), Buffer.from('7ORA-00942: table "ORDERS" does not exist, token=abcdef123456\n')]),
);
const ROW = data(Buffer.concat([Buffer.of(6, 1, 5), Buffer.from('ORA-00942: a row that says so')]));

const SESSION: Step[] = [
  [0, connect(DESCRIPTION)],
  [1, ACCEPT],
  [0, data(Buffer.from('select hunter2 from orders'))],
  [1, ROW],
  [0, data(Buffer.from('select 1 from nothing'))],
  [1, FAILED],
];

test('a connection and the error of a call, cut anywhere; rows and passwords are not shown', () => {
  const events = sameHoweverCut(tns, SESSION);
  expect(brief(events)).toEqual([
    'CONNECT shop = accepted',
    'ORACLE_ERROR ORA-00942: table "ORDERS" does not exist, token=***',
  ]);
  expect(JSON.stringify(events)).not.toMatch(/hunter2|abcdef|clerk/);
  expect(events[0]).toMatchObject({ route: 'CONNECT shop', fields: { tns: { service: 'shop', program: 'web' } } });
  expect(events[1]).toMatchObject({ failed: true, from: 1, fields: { tns: { error: 'ORA-00942' } } });
});

test.each<[string, Step[], string[]]>([
  [
    'refused',
    [
      [0, connect('(SID=old)')],
      [1, refuse(12505)],
    ],
    ['CONNECT old = refused ORA-12505!'],
  ],
  [
    'description apart',
    [
      [0, connect(DESCRIPTION, true)],
      [0, data(Buffer.from(DESCRIPTION))],
      [1, ACCEPT],
    ],
    ['CONNECT shop = accepted'],
  ],
  [
    'resend',
    [
      [0, connect(DESCRIPTION)],
      [1, packet(11, Buffer.alloc(0))],
      [0, connect(DESCRIPTION)],
      [1, ACCEPT],
    ],
    ['CONNECT shop = resend', 'CONNECT shop = accepted'],
  ],
  ['no answer', [[0, connect(DESCRIPTION)]], ['CONNECT shop = ! [no response]']],
  ['not seen', [[1, refuse(12514)]], ['(request not seen) = refused ORA-12514! [request not seen]']],
])('%s', (name, steps, expected) => {
  expect(brief(play(tns, steps, { midstream: name === 'not seen' }))).toEqual(expected);
});

test('a CONNECT of which the end was not captured; what the client sends next is no description', () => {
  const asked = connect(DESCRIPTION);
  const cut: Step[] = [
    [0, asked.subarray(0, 90)],
    [0, { gap: asked.length - 90 }],
  ];
  const login: Step = [0, data(Buffer.from('(SERVICE_NAME=other)'))];
  expect(brief(play(tns, [...cut, [1, ACCEPT], login]))).toEqual(['CONNECT = accepted [request not captured]']);
  // The next is another one: what became of the first is not known.
  expect(brief(play(tns, [...cut, [0, connect('(SID=old)')], [1, refuse(12505)]]))).toEqual([
    'CONNECT =  [unknown]',
    'CONNECT old = refused ORA-12505!',
  ]);
});

test('a CONNECT begins with its own packet where its description comes later', () => {
  const [event] = play(tns, [
    [0, connect(DESCRIPTION, true)],
    [1, ''],
    [0, data(Buffer.from(DESCRIPTION))],
    [1, ACCEPT],
  ]);
  const length = connect(DESCRIPTION, true).length + data(Buffer.from(DESCRIPTION)).length;
  expect(event).toMatchObject({ time: 0, requestEnd: 2e6, responseTime: 3e6, requestBytes: length });
});

test('a real client that is refused, as tshark sees it', async () => {
  expect(await briefOfFile(CLIENT)).toEqual([
    'CONNECT shop = refused ORA-12514!',
    'CONNECT missing = refused ORA-12514!',
  ]);
  const types = tsharkFields(CLIENT, 'tns', ['tns.type'], ['-d', 'tcp.port==11521,tns'])?.map(([type = '']) =>
    Number(type),
  );
  if (types !== undefined) expect(types).toEqual([1, 4, 1, 4]);
  for (const steps of conversations(CLIENT)) sameHoweverCut(tns, steps);
});

test('who speaks; noise and any bytes', () => {
  const probe = (bytes: Buffer) => tns.probe(bytes, 0, bytes.length);
  expect([connect(DESCRIPTION), ACCEPT, refuse(12514), connect(DESCRIPTION).subarray(0, 20)].map(probe)).toEqual([
    'client',
    'server',
    'server',
    'more',
  ]);
  expect(probe(Buffer.concat([Buffer.from('0040000001000000', 'hex'), Buffer.alloc(56)]))).toBe('no');
  survivesMutations(tns, [SESSION], 300);
  likesNoNoise(tns, 100_000);
});

test('a CONNECT is recognised by its first TNS_SEEK bytes, a shorter ACCEPT as soon as it is whole', () => {
  const bytes = connect(DESCRIPTION);
  const likeness = (length: number) => tnsLikeness(bytes, 0, length);
  expect([TNS_SEEK - 1, TNS_SEEK, bytes.length].map(likeness)).toEqual(['more', 'client', 'client']);

  const accept = packet(2, Buffer.concat([Buffer.of(1, 0x3e), Buffer.alloc(14)]));
  expect(accept.length).toBeLessThan(TNS_SEEK);
  expect([tnsLikeness(accept, 0, accept.length - 1), tnsLikeness(accept, 0, accept.length)]).toEqual([
    'more',
    'server',
  ]);
});

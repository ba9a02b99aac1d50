import { fileURLToPath } from 'node:url';
import { describe, expect, it, test } from 'vitest';
import { tds } from '../../../../src/analyze/protocols/tds/index.ts';
import { analyseFile } from '../../../support/analysis.ts';
import { brief, briefOfFile } from '../brief.ts';
import { conversations } from '../conversations.ts';
import { inventsNothing, likesNoNoise, sameHoweverCut, survivesMutations } from '../hardiness.ts';
import { type PlayOptions, play, type Step } from '../play.ts';
import { tsharkFields } from '../tshark-fields.ts';

const CAPTURE = fileURLToPath(new URL('../captures/tds.pcap', import.meta.url));
const ALL = conversations(CAPTURE);

const two = (value: number) => Buffer.of(value & 0xff, value >> 8);
const four = (value: number) => Buffer.concat([two(value), two(0)]);
const wide = (text: string) => Buffer.from(text, 'utf16le');
const packet = (type: number, payload: Buffer, last = true, number = 1) =>
  Buffer.concat([
    Buffer.of(type, last ? 1 : 0, (payload.length + 8) >> 8, (payload.length + 8) & 0xff, 0, 0, number, 0),
    payload,
  ]);
const HEADERS = Buffer.concat([four(22), four(18), two(2), Buffer.alloc(8), four(1)]);
const batch = (statement: string) => packet(1, Buffer.concat([HEADERS, wide(statement)]));
const doneToken = (flags: number, rows = 0) =>
  Buffer.concat([Buffer.of(0xfd), two(flags), two(0xc1), four(rows), four(0)]);
const done = (flags: number, rows = 0) => packet(4, doneToken(flags, rows));
const error = (number: number, text: string) => {
  const body = Buffer.concat([four(number), Buffer.of(1, 16), two(text.length), wide(text), Buffer.alloc(6)]);
  return packet(4, Buffer.concat([Buffer.of(0xaa), two(body.length), body, doneToken(2)]));
};
const prelogin = (type: number, encryption: number) =>
  packet(type, Buffer.of(0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff, 16, 0, 0, 1, 0, 0, encryption));
const told = (steps: readonly Step[], options: PlayOptions = {}) => brief(play(tds, steps, options));

describe('a driver and a server that follows the specification', () => {
  it('logins, batches, procedures, transactions, errors', async () => {
    expect((await briefOfFile(CAPTURE)).map((line) => line.slice(0, 160))).toMatchSnapshot();
  });

  it('an exchange has its parts', async () => {
    const events = (await analyseFile(CAPTURE)).events.map(({ event }) => event);
    expect(events.find(({ label }) => label === 'SELECT name FROM missing')).toMatchObject({
      route: 'SELECT missing',
      status: "ERROR 208 Invalid object name 'missing'.",
      failed: true,
      fields: { sql: { command: 'BATCH', code: 208 } },
    });
    expect(events.find(({ label }) => label === 'SELECT name FROM large WHERE id = @id')).toMatchObject({
      incomplete: undefined,
      fields: { sql: { command: 'RPC', procedure: 'sp_executesql', rows: 40 } },
    });
    expect(events.find(({ label }) => label === 'LOGIN')).toMatchObject({ fields: { sql: { database: 'shop' } } });
  });

  it('the messages that tshark sees, as often', async () => {
    const frames = tsharkFields(CAPTURE, 'tds', ['tds.type']);
    if (frames === undefined) return;
    const kinds = frames.flatMap(([types = '']) => types.split(','));
    const of = (type: string) => kinds.filter((kind) => kind === type).length;
    const { events } = await analyseFile(CAPTURE);
    const ours = (name: RegExp) =>
      events.filter(({ event }) => name.test(String((event.fields.sql as { command?: string } | undefined)?.command)))
        .length;
    expect(ours(/^BATCH$/)).toBe(of('1'));
    expect(ours(/^LOGIN$/)).toBe(of('16'));
    expect(ours(/^PRELOGIN$/)).toBe(of('18'));
    expect(ours(/^(?:BEGIN|COMMIT)$/)).toBe(of('14'));
    expect(ours(/^RPC$/)).toBe(3);
  });

  it('shows no credential', async () => {
    const text = JSON.stringify((await analyseFile(CAPTURE)).events);
    expect(text).toContain("VALUES ('bob', ***)");
    expect(text).not.toMatch(/hunter2/);
  });
});

describe('any bytes', () => {
  it('the same events however the stream is cut', () => {
    for (const steps of ALL) sameHoweverCut(tds, steps);
  });

  it('mutated conversations', () => survivesMutations(tds, ALL, 150));

  it('random bytes are not TDS', () => likesNoNoise(tds, 300_000));

  it('knows whose bytes they are when the capture begins in the middle', () => {
    for (const steps of ALL) {
      for (const [side, what] of steps) {
        const bytes = what as Uint8Array;
        expect(tds.probe(bytes, 0, bytes.length)).not.toBe(side === 0 ? 'server' : 'client');
      }
    }
  });

  it('goes on behind what was not captured, and invents nothing', () => {
    for (const steps of ALL) inventsNothing(tds, steps, ({ label }) => label);
  });
});

test.each([
  [batch('SELECT 1 AS one'), 'client'],
  [prelogin(0x12, 0), 'client'],
  [prelogin(4, 2), 'server'],
  [done(0), 'server'],
  [error(1, 'no'), 'server'],
  [batch('SELECT 1 AS one').subarray(0, 6), 'more'],
  // CQL 4, SOCKS 4, RADIUS.
  [Buffer.from('0400000107000000120000000853454c45435420310001000000', 'hex'), 'no'],
  [Buffer.from('0401005001020304736f00', 'hex'), 'no'],
  [Buffer.from('0101002000112233445566778899aabbccddeeff0011223344556677', 'hex'), 'no'],
] as const)('%j is %s', (bytes, likeness) => expect(tds.probe(bytes, 0, bytes.length)).toBe(likeness));

describe('what the capture does not have', () => {
  it('no response', () => {
    expect(told([[0, batch('SELECT a FROM b')]])).toEqual(['SELECT a FROM b = ! [no response]']);
    expect(told([[0, batch('SELECT a FROM b')]], { end: 'capture ended' })).toEqual([
      'SELECT a FROM b =  [capture ended]',
    ]);
  });

  it('a response in many packets, of which one is missing', () => {
    const row = Buffer.alloc(500, 0xd1);
    const first = packet(4, Buffer.concat([Buffer.of(0x81), two(1), row]), false, 1);
    const rest = packet(4, Buffer.concat([row, doneToken(0x10, 7)]), true, 3);
    const whole: Step[] = [
      [0, batch('SELECT a FROM b')],
      [1, first],
      [1, packet(4, row, false, 2)],
      [1, rest],
    ];
    expect(sameHoweverCut(tds, whole)).toMatchObject([{ status: 'ok', fields: { sql: { rows: 7 } } }]);
    const holed: Step[] = [
      ...whole.slice(0, 2),
      [1, { gap: 508 }],
      [1, rest],
      [0, batch('SELECT c FROM d')],
      [1, error(5, 'no')],
    ];
    expect(told(holed)).toEqual([
      'SELECT a FROM b =  [response not captured]',
      expect.stringMatching(/^PROTOCOL_LOST/),
      'SELECT c FROM d = ERROR 5 no!',
    ]);
  });

  it('an error behind rows fails by the token that ends the response', () => {
    const rows = Buffer.concat([Buffer.of(0x81), two(1), Buffer.alloc(40, 0xd1), doneToken(2)]);
    expect(
      told([
        [0, batch('SELECT a FROM b')],
        [1, packet(4, rows)],
      ]),
    ).toEqual(['SELECT a FROM b = ERROR!']);
  });

  it('a request that is canceled', () => {
    const steps: Step[] = [
      [0, batch('SELECT a FROM b')],
      [0, packet(6, Buffer.alloc(0))],
      [1, done(0x20)],
    ];
    expect(told(steps)).toEqual(['message ATTENTION from client', 'SELECT a FROM b = canceled']);
  });

  it('TLS for the login alone, and for all', () => {
    const hello = packet(0x12, Buffer.from('16030100050100000103', 'hex'));
    const record = Buffer.concat([Buffer.of(0x17, 3, 3, 0, 40), Buffer.alloc(40, 9)]);
    const begin = (encryption: number): Step[] => [
      [0, prelogin(0x12, encryption)],
      [1, prelogin(4, encryption)],
      [0, hello],
      [1, hello],
      [0, record],
    ];
    expect(told([...begin(0), [1, done(0)], [0, batch('SELECT a FROM b')], [1, done(0)]])).toEqual([
      'PRELOGIN = encryption off',
      'TDS_TLS TLS protects the login',
      'LOGIN = ok',
      'SELECT a FROM b = ok',
    ]);
    expect(told([...begin(1), [1, record], [0, record], [1, record]])).toEqual([
      'PRELOGIN = encryption on',
      'TDS_TLS TLS protects what follows: not decoded',
    ]);
  });

  it('a response without its request, from the middle on', () => {
    expect(told([[1, error(5, 'no')]], { midstream: true })).toEqual([
      '(request not seen) = ERROR 5 no! [request not seen]',
    ]);
  });
});

test('an answer that the end of the connection cuts is shown as far as it came', () => {
  const cut = packet(4, Buffer.concat([doneToken(0x10, 3), Buffer.alloc(40)]), false);
  const [exchange, ...others] = play(tds, [
    [0, batch('SELECT a FROM b')],
    [1, cut],
  ]);
  expect(others).toEqual([]);
  expect(exchange).toMatchObject({ label: 'SELECT a FROM b', incomplete: 'closed early', responseTime: 1e6 });
});

import { fileURLToPath } from 'node:url';
import { describe, expect, it, test } from 'vitest';
import { frameBegins, OPCODE } from '../../../../src/analyze/protocols/cql/frame.ts';
import { cql } from '../../../../src/analyze/protocols/cql/index.ts';
import { Prepared } from '../../../../src/analyze/protocols/cql/prepared.ts';
import { analyseFile } from '../../../support/analysis.ts';
import { brief, briefOfFile } from '../brief.ts';
import { conversations } from '../conversations.ts';
import { inventsNothing, likesNoNoise, sameHoweverCut, survivesMutations } from '../hardiness.ts';
import { type PlayOptions, play, type Step } from '../play.ts';
import { tsharkFields } from '../tshark-fields.ts';

const CAPTURE = fileURLToPath(new URL('../captures/cql.pcap', import.meta.url));
const ALL = conversations(CAPTURE);

const four = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const short = (text: string) => Buffer.concat([Buffer.of(text.length >> 8, text.length & 0xff), Buffer.from(text)]);
const frame = (version: number, stream: number, opcode: number, ...parts: Buffer[]) => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(version, 0, (stream >> 8) & 0xff, stream & 0xff, opcode), four(body.length), body]);
};
const query = (stream: number, statement: string) =>
  frame(4, stream, 7, four(statement.length), Buffer.from(statement), Buffer.of(0, 6, 0));
const done = (stream: number) => frame(0x84, stream, 8, four(1));
const error = (stream: number, code: number, text: string) => frame(0x84, stream, 0, four(code), short(text));
const told = (steps: readonly Step[], options: PlayOptions = {}) => brief(play(cql, steps, options));

describe('drivers and a server that follows the specification', () => {
  it('versions 4 and 5: statements, prepared ones, batches, errors, logins', async () => {
    expect((await briefOfFile(CAPTURE)).map((line) => line.slice(0, 160))).toMatchSnapshot();
  });

  it('an exchange has its parts', async () => {
    const events = (await analyseFile(CAPTURE)).events.map(({ event }) => event);
    expect(events.find(({ label }) => label === 'SELECT name FROM shop.slow')).toMatchObject({
      route: 'SELECT shop.slow',
      status: 'ERROR ReadTimeout Operation timed out',
      failed: true,
      fields: {
        cql: { operation: 'QUERY', consistency: 'LOCAL_QUORUM', code: 0x1200, statement: 'SELECT name FROM shop.slow' },
      },
    });
    // It takes two segments.
    expect(events.find(({ label }) => label === 'SELECT name FROM shop.large')).toMatchObject({
      responseBytes: 184_137,
      incomplete: undefined,
    });
  });

  it('the frames of version 4 that tshark sees: kinds and statements, as often', async () => {
    const frames = tsharkFields(CAPTURE, 'cql.version == 0x04', ['tcp.stream', 'cql.opcode', 'cql.string']);
    if (frames === undefined) return;
    const REQUESTS = ['7', '9', '10', '13', '1', '5', '11', '15'];
    const theirs = frames.flatMap(([, kinds = '']) =>
      kinds.split(',').filter((kind) => REQUESTS.includes(String(Number(kind)))),
    );
    const streams = new Set(frames.map(([stream]) => stream));
    const { events } = await analyseFile(CAPTURE);
    const ours = events.filter(({ event, flow }) => event.kind === 'exchange' && streams.has(String(flow)));
    expect(ours.length).toBeGreaterThan(20);
    expect(ours.length).toBeGreaterThanOrEqual(theirs.length);
    const texts = frames.map(([, , text = '']) => text).join('\n');
    for (const { event } of ours) {
      const { operation, statement } = event.fields.cql as { operation: string; statement?: string };
      if (operation === 'QUERY' && statement !== undefined && !statement.includes('*'))
        expect(texts).toContain(statement);
    }
  });

  it('shows no credential', async () => {
    const text = JSON.stringify((await analyseFile(CAPTURE)).events);
    expect(text).toContain("VALUES ('bob', ***)");
    expect(text).not.toMatch(/hunter2/);
  });
});

describe('any bytes', () => {
  it('the same events however the stream is cut', () => {
    for (const steps of ALL) sameHoweverCut(cql, steps, steps.length > 60 ? 1 : 4);
  });

  it('mutated conversations', () => survivesMutations(cql, ALL, 200));

  it('random bytes are not CQL', () => likesNoNoise(cql, 300_000));

  it('knows whose bytes they are when the capture begins in the middle', () => {
    for (const steps of ALL) {
      for (const [side, what] of steps) {
        const bytes = what as Uint8Array;
        expect(cql.probe(bytes, 0, bytes.length)).not.toBe(side === 0 ? 'server' : 'client');
      }
    }
  });

  it('goes on behind what was not captured, and invents nothing', () => {
    // What was prepared in the hole is not known by its statement.
    const about = (label: string) => (/^EXECUTE/.test(label) ? 'STARTUP' : label);
    for (const steps of ALL) inventsNothing(cql, steps, ({ label }) => about(label));
  });
});

test.each([
  [query(1, 'SELECT 1'), 'client'],
  [frame(4, 0, 5), 'client'],
  [frame(0x84, 0, 2), 'server'],
  [error(7, 0x2200, 'no'), 'server'],
  [frame(0x83, -1, 12, short('STATUS_CHANGE')), 'server'],
  [query(1, 'SELECT 1').subarray(0, 8), 'more'],
  [frame(4, 0, 8, four(1)), 'no'],
  [frame(6, 1, 5), 'no'],
  // TDS: a batch, a login, an answer; SOCKS 5; TPKT.
  [Buffer.from('0301008400000100160000001200000002000000', 'hex'), 'no'],
  [Buffer.from('04010025003501008100000000000000000000', 'hex'), 'no'],
  [Buffer.from('050100', 'hex'), 'more'],
  [Buffer.from('0300001302e0000000000001000800030000', 'hex'), 'no'],
] as const)('%j is %s', (bytes, likeness) => expect(cql.probe(bytes, 0, bytes.length)).toBe(likeness));

describe('what the capture does not have', () => {
  it('answers in another order', () => {
    const steps: Step[] = [
      [0, Buffer.concat([query(1, 'SELECT a FROM b'), query(2, 'SELECT c FROM d')])],
      [1, Buffer.concat([error(2, 0x1100, 'late'), done(1)])],
    ];
    expect(brief(sameHoweverCut(cql, steps))).toEqual([
      'SELECT c FROM d = ERROR WriteTimeout late!',
      'SELECT a FROM b = ok',
    ]);
  });

  it('no answer, and answers to what was not captured', () => {
    expect(told([[0, query(1, 'SELECT a FROM b')]])).toEqual(['SELECT a FROM b = ! [no response]']);
    expect(told([[0, query(1, 'SELECT a FROM b')]], { end: 'capture ended' })).toEqual([
      'SELECT a FROM b =  [capture ended]',
    ]);
    expect(told([[1, error(9, 0x2100, 'no')]], { midstream: true })).toEqual([
      '(request not seen) = ERROR Unauthorized no! [request not seen]',
    ]);
    expect(told([[1, done(9)]])).toEqual([]);
  });

  it('a number used again while answers are missing pairs nothing that is not proven', () => {
    const steps: Step[] = [
      [0, query(1, 'SELECT a FROM b')],
      [0, { gap: 50 }],
      [1, { gap: 50 }],
      [1, done(1)],
    ];
    expect(told(steps)).toEqual(['SELECT a FROM b = ok [unknown]']);
  });

  it('an event of the server is a message; warnings stand before a result', () => {
    const warned = frame(0x84, 1, 8, Buffer.of(0, 1), short('aggregation without a key'), four(1));
    warned[1] = 0x08;
    const steps: Step[] = [
      [1, frame(0x84, -1, 12, short('SCHEMA_CHANGE'))],
      [0, query(1, 'SELECT a FROM b')],
      [1, warned],
    ];
    expect(told(steps)).toEqual(['message EVENT SCHEMA_CHANGE from server', 'SELECT a FROM b = ok']);
    expect(JSON.stringify(play(cql, steps))).toContain('aggregation without a key');
  });

  it('compression hides statements', () => {
    const hidden = query(1, 'SELECT a FROM b');
    hidden[1] = 1;
    expect(
      told([
        [0, hidden],
        [1, done(1)],
      ]),
    ).toEqual(['QUERY (compressed) = ok']);
  });

  it('compressed segments of version 5 are named', () => {
    const startup = frame(5, 0, 1, Buffer.of(0, 1), short('COMPRESSION'), short('lz4'));
    const events = told([
      [0, startup],
      [1, frame(0x85, 0, 2)],
      [0, Buffer.alloc(50, 7)],
      [1, Buffer.alloc(50, 7)],
    ]);
    expect(events).toEqual(['STARTUP = ok', 'CQL_COMPRESSED compressed segments follow: not decoded']);
  });
});

test('prepared statements are known by their ids, a bounded number of them', () => {
  const prepared = new Prepared();
  for (let n = 0; n < 300; n += 1) prepared.prepared(`${n}`, `SELECT ${n}`);
  expect(prepared.statement('0')).toBe('SELECT 0');
  expect(prepared.statement('299')).toBe('');
  expect(new Prepared().statement('0')).toBe('');
});

test('of compressed frames only those of statements and results are recognised by themselves', () => {
  const bodies = Buffer.alloc(60, 1);
  const begins = (side: 0 | 1, opcode: number) => {
    const bytes = frame(side === 0 ? 4 : 0x84, 1, opcode, bodies);
    bytes[1] = 1;
    return frameBegins(side, bytes, 0, bytes.length);
  };
  expect([OPCODE.query, OPCODE.execute, OPCODE.prepare, OPCODE.batch].map((opcode) => begins(0, opcode))).toEqual([
    ...[true, true, false, false],
  ]);
  expect([OPCODE.result, OPCODE.error, OPCODE.event].map((opcode) => begins(1, opcode))).toEqual([true, false, false]);
});

import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { mongodb } from '../../../../src/analyze/protocols/mongodb/index.ts';
import type { AnalysisEvent, Exchange } from '../../../../src/analyze/record/event.ts';
import { analyseFile } from '../../../support/analysis.ts';
import { conversations } from '../conversations.ts';
import { inventsNothing, likesNoNoise, sameHoweverCut, survivesMutations } from '../hardiness.ts';
import { play, type Step } from '../play.ts';
import { tsharkFields } from '../tshark-fields.ts';

const PLAIN = fileURLToPath(new URL('../captures/mongodb.pcap', import.meta.url));
const COMPRESSED = fileURLToPath(new URL('../captures/mongodb-compressed.pcap', import.meta.url));
const named = (path: string) => [basename(path), path] as const;
const BOTH = [...conversations(PLAIN), ...conversations(COMPRESSED)];

function isExchange(event: AnalysisEvent): event is Exchange {
  return event.kind === 'exchange' && event.protocol === 'mongodb';
}

function said(events: readonly AnalysisEvent[]): string[] {
  return events.filter((event) => event.protocol === 'mongodb').map(saidOf);
}

function saidOf(event: AnalysisEvent): string {
  return isExchange(event) ? `${event.label} -> ${event.status}` : `${event.kind} ${event.label}`;
}

describe('real servers and clients', () => {
  it.each([PLAIN, COMPRESSED].map(named))('%s: says what was said', async (_, path) => {
    expect(said((await analyseFile(path)).events.map(({ event }) => event))).toMatchSnapshot();
  });

  it.each([PLAIN, COMPRESSED].map(named))('%s: the messages that tshark sees, paired by their ids', async (_, path) => {
    const fields = ['tcp.stream', 'mongo.message_length', 'mongo.request_id', 'mongo.response_to'];
    const as = ['-d', 'tcp.port==27017,mongo', '-d', 'tcp.port==27018,mongo'];
    const messages = tsharkFields(path, 'mongo', fields, as);
    const ours = (await analyseFile(path)).events.flatMap(({ event, flow }) =>
      isExchange(event) ? [`${flow} ${event.requestBytes} ${event.responseBytes}`] : [],
    );
    expect(ours.length).toBeGreaterThan(20);
    const theirs = messages
      ?.filter(([, , , answers]) => Number(answers) === 0)
      .map(([stream, length, id]) => {
        const reply = messages.find(([other, , , answers]) => other === stream && answers === id);
        // FerretDB answers what wants no answer.
        return `${stream} ${length} ${length === '151' ? 0 : reply?.[1]}`;
      });
    if (theirs !== undefined) expect(ours.sort()).toEqual(theirs.sort());
  });

  it('names commands, databases and errors as tshark has them', async () => {
    const fields = ['tcp.stream', 'mongo.element.name', 'mongo.element.value.string'];
    const messages = tsharkFields(PLAIN, 'mongo.opcode == 2013', fields, ['-d', 'tcp.port==27017,mongo']);
    const commands = (await analyseFile(PLAIN)).events.flatMap(({ event }) => {
      const { command } = (event.fields.mongodb ?? {}) as { command?: string };
      return isExchange(event) && command !== 'ismaster' ? [command] : [];
    });
    const requests = messages?.filter(([, names = '']) => names.split(',').includes('$db'));
    if (requests === undefined) return;
    expect(commands.length).toBeGreaterThan(15);
    expect(commands.sort()).toEqual(requests.map(([, names = '']) => names.split(',')[0]).sort());
  });

  it('an Exchange has its parts', async () => {
    const events = (await analyseFile(PLAIN)).events.map(({ event }) => event);
    expect(
      events.find((event) => event.label === 'insert shop.orders' && isExchange(event) && event.failed),
    ).toMatchObject({
      route: 'insert shop.orders',
      status: '11000 E11000 duplicate key error collection: shop.orders',
      failed: true,
      fields: { mongodb: { command: 'insert', database: 'shop', collection: 'orders', code: 11000 } },
    });
    // What wants no answer is whole without one.
    expect(events.find(({ label }) => label === 'insert shop.log')).toMatchObject({
      failed: false,
      status: '',
      responseTime: undefined,
      incomplete: undefined,
    });
  });

  it('says when a compression hides what is said', async () => {
    const { events } = await analyseFile(COMPRESSED);
    const hidden = events.map(({ event }) => event).filter(({ label }) => label === '(snappy)');
    expect(hidden.length).toBeGreaterThan(5);
    expect(hidden[0]).toMatchObject({ failed: false, status: '', fields: { mongodb: { compressor: 'snappy' } } });
  });

  it('shows no credential', async () => {
    const text = JSON.stringify((await analyseFile(PLAIN)).events);
    expect(text).toContain('SCRAM-SHA-256');
    expect(text).toContain('createUser');
    expect(text).not.toMatch(/hunter2|shop-user|clerk/);
  });
});

describe('any bytes', () => {
  it('the same events however the stream is cut', () => {
    for (const steps of BOTH) sameHoweverCut(mongodb, steps);
  });

  it('mutated conversations', () => survivesMutations(mongodb, BOTH, 600));

  it('random bytes are not MongoDB', () => likesNoNoise(mongodb, 300_000));

  it('knows who speaks when the capture begins in the middle', () => {
    for (const steps of BOTH) {
      for (const [side, what] of steps) {
        const bytes = what as Uint8Array;
        expect(mongodb.probe(bytes, 0, bytes.length)).not.toBe(side === 0 ? 'server' : 'client');
      }
      const [, [, reply] = []] = steps;
      if (reply instanceof Uint8Array) expect(mongodb.probe(reply, 0, reply.length)).toBe('server');
    }
  });

  it('goes on behind what was not captured, and invents nothing', () => {
    for (const steps of BOTH) {
      const share = inventsNothing(mongodb, steps, ({ fields }) => {
        return JSON.stringify((fields.mongodb as { command?: string }).command ?? 'hidden');
      });
      if (steps.length > 12) expect(share).toBeGreaterThan(0.8);
    }
  });
});

describe('what the captures do not have', () => {
  const int32 = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    return bytes;
  };
  const string = (name: string, text: string) =>
    Buffer.concat([Buffer.from(`\x02${name}\0`), int32(text.length + 1), Buffer.from(`${text}\0`)]);
  const number = (name: string, value: number) => Buffer.concat([Buffer.from(`\x10${name}\0`), int32(value)]);
  const document = (...elements: Buffer[]) => {
    const all = Buffer.concat(elements);
    return Buffer.concat([int32(all.length + 5), all, Buffer.from([0])]);
  };
  const message = (id: number, answers: number, operation: number, ...body: Buffer[]) => {
    const all = Buffer.concat(body);
    return Buffer.concat([int32(16 + all.length), int32(id), int32(answers), int32(operation), all]);
  };
  const section = (flags: number, body: Buffer) => Buffer.concat([int32(flags), Buffer.from([0]), body]);
  const find = section(0, document(string('find', 'tea'), string('$db', 'shop')));
  const ok = document(number('ok', 1));

  it('many replies to one request: the first is its answer, the others are messages', () => {
    const hello = section(1 << 16, document(number('hello', 1), string('$db', 'admin')));
    const steps: Step[] = [
      [0, message(9, 0, 2013, hello)],
      [1, message(70, 9, 2013, section(2, ok))],
      [1, message(71, 70, 2013, section(2, ok))],
      [1, message(72, 71, 2013, section(0, ok))],
      [1, message(73, 72, 2013, section(0, ok))],
    ];
    expect(said(sameHoweverCut(mongodb, steps))).toEqual(['hello -> ok', 'message hello', 'message hello']);
  });

  it('a stream of replies that is cut off is answered all the same; a request without one is not', () => {
    const hello = section(1 << 16, document(number('hello', 1), string('$db', 'admin')));
    const streamed: Step[] = [
      [0, message(9, 0, 2013, hello)],
      [1, message(70, 9, 2013, section(2, ok))],
    ];
    expect(said(sameHoweverCut(mongodb, streamed))).toEqual(['hello -> ok']);
    expect(said(sameHoweverCut(mongodb, [[0, message(9, 0, 2013, hello)]]))).toEqual(['hello -> ']);
  });

  it('a request that answers -1 is a request, also behind a hole', () => {
    const asked = (id: number) => message(id, -1, 2013, find);
    expect(mongodb.probe(asked(9), 0, asked(9).length)).toBe('client');
    const steps: Step[] = [
      [0, asked(9)],
      [1, message(70, 9, 2013, section(0, ok))],
      [0, { gap: 50 }],
      [0, Buffer.concat([Buffer.from('the rest of a document'), asked(11)])],
      [1, message(71, 10, 2013, section(0, ok)), 0],
      [1, message(72, 11, 2013, section(0, ok))],
      // Nobody asked for it.
      [1, message(73, -1, 2013, section(0, ok))],
    ];
    expect(play(mongodb, steps)).toMatchObject([
      { label: 'find shop.tea', status: 'ok', incomplete: undefined },
      { code: 'PROTOCOL_LOST', from: 0, position: asked(9).length + 50 },
      { label: '(request not seen)', status: 'ok', incomplete: 'request not seen' },
      { label: 'find shop.tea', status: 'ok', incomplete: undefined },
      { label: '(request not seen)', status: 'ok', incomplete: 'request not seen' },
    ]);
  });

  it('a lost reply was not captured, and says nothing of others', () => {
    const steps: Step[] = [
      [0, Buffer.concat([message(1, 0, 2013, find), message(2, 0, 2013, find), message(3, 0, 2013, find)])],
      [1, { gap: message(70, 1, 2013, section(0, ok)).length }],
      [1, Buffer.concat([message(72, 3, 2013, section(0, ok)), message(71, 2, 2013, section(0, ok))])],
    ];
    expect(said(play(mongodb, steps))).toEqual(['find shop.tea -> ok', 'find shop.tea -> ok', 'find shop.tea -> ']);
    expect(play(mongodb, steps)[2]).toMatchObject({ incomplete: 'response not captured', failed: false });
  });

  it('a sequence of documents before the command, and a checksum behind it', () => {
    const sequence = Buffer.concat([Buffer.from([1]), int32(4 + 10 + ok.length), Buffer.from('documents\0'), ok]);
    const body = Buffer.concat([int32(1), sequence, find.subarray(4), int32(0x1234_5678)]);
    const steps: Step[] = [
      [0, message(1, 0, 2013, body)],
      [1, message(2, 1, 2013, section(1, ok), int32(1))],
    ];
    expect(said(sameHoweverCut(mongodb, steps))).toEqual(['find shop.tea -> ok']);
  });

  it('long messages say at their end what they are about, and how they went', () => {
    const long = Buffer.concat([Buffer.from('\x05data\0'), int32(30_000), Buffer.alloc(30_001)]);
    const steps: Step[] = [
      [0, message(1, 0, 2013, section(0, document(string('insert', 'tea'), long, string('$db', 'shop'))))],
      [
        1,
        message(
          2,
          1,
          2013,
          section(0, document(long, number('code', 50), string('codeName', 'TooLate'), number('ok', 0))),
        ),
      ],
    ];
    expect(said(sameHoweverCut(mongodb, steps))).toEqual(['insert shop.tea -> 50 TooLate']);
  });

  it('a server before OP_MSG: queries and their failures', () => {
    const query = (name: string) =>
      Buffer.concat([int32(0), Buffer.from(`${name}\0`), int32(0), int32(1), document(number('x', 1))]);
    const reply = (body: Buffer) => Buffer.concat([int32(2), Buffer.alloc(12), int32(1), body]);
    const steps: Step[] = [
      [0, message(1, 0, 2004, query('shop.tea'))],
      [1, message(2, 1, 1, reply(document(string('$err', 'no\nway'), number('code', 13))))],
    ];
    expect(said(sameHoweverCut(mongodb, steps))).toEqual(['query shop.tea -> 13 no way']);
  });

  it('what decompresses to more than is looked at, is damaged, or is of another compressor', () => {
    const compressed = (id: number, compressor: number, size: number, body: Buffer) =>
      message(id, 0, 2012, int32(2013), int32(size), Buffer.from([compressor]), body);
    const huge = Buffer.concat([find, Buffer.alloc(1 << 21)]);
    const steps: Step[] = [
      [0, compressed(1, 2, huge.length, deflateSync(huge))],
      [0, compressed(2, 2, 100, deflateSync(huge))],
      [0, compressed(3, 3, 100, zstdCompressSync(huge))],
      [0, compressed(4, 3, 100, Buffer.from('nothing of the kind'))],
      [0, compressed(5, 0, find.length, find)],
    ];
    const events = sameHoweverCut(mongodb, steps);
    expect(events.map(({ label }) => label)).toEqual(['find shop.tea', '(zlib)', '(zstd)', '(zstd)', 'find shop.tea']);
  });

  it('waiting requests are bounded', () => {
    const steps: Step[] = [];
    for (let id = 1; id <= 3000; id += 1) steps.push([0, message(id, 0, 2013, find)]);
    expect(play(mongodb, steps)).toHaveLength(3000);
  });
});

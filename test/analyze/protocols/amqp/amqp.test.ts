import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { amqp } from '../../../../src/analyze/protocols/amqp/index.ts';
import { METHODS, methodId } from '../../../../src/analyze/protocols/amqp/methods.ts';
import { type AnalysisEvent, otherSide } from '../../../../src/analyze/record/event.ts';
import { analyseFile } from '../../../support/analysis.ts';
import { conversations } from '../conversations.ts';
import { inventsNothing, likesNoNoise, sameHoweverCut, survivesMutations } from '../hardiness.ts';
import { play, type Step } from '../play.ts';
import { tsharkFields } from '../tshark-fields.ts';

const PATH = fileURLToPath(new URL('../captures/amqp.pcap', import.meta.url));
const ALL = conversations(PATH);

function said(events: readonly AnalysisEvent[]): string[] {
  return events.map((event) => {
    if (event.kind === 'exchange') return `${event.label} -> ${event.status}`;
    return event.kind === 'message' ? `${event.label} (${event.bytes})` : `${event.code} ${event.label}`;
  });
}

/** The methods that are told of one way or the other, as often as they are. */
function methodsOf(events: readonly AnalysisEvent[]): string[] {
  return events.flatMap((event) => {
    const { method } = event.fields.amqp as { method: string };
    // A get's answer, and a close that answers, are told of as well.
    if (event.kind !== 'exchange' || event.status === 'get-ok' || /^\d/.test(event.status)) return [method];
    return event.responseTime === undefined ? [method] : [method, `${method.split('.')[0]}.${event.status}`];
  });
}

describe('a real broker and client', () => {
  it('says what was said', async () => {
    const { events } = await analyseFile(PATH);
    expect(said(events.map(({ event }) => event).filter(({ protocol }) => protocol === 'amqp'))).toMatchSnapshot();
  });

  it('has the methods that tshark sees', async () => {
    const fields = ['tcp.stream', 'amqp.method.class', 'amqp.method.method'];
    const frames = tsharkFields(PATH, 'amqp.method.class', fields);
    const { events, flows } = await analyseFile(PATH);
    expect(flows).toHaveLength(4);
    for (const { id } of flows) {
      const ours = methodsOf(
        events.filter(({ flow, event }) => flow === id && event.protocol === 'amqp').map(({ event }) => event),
      );
      expect(ours.length).toBeGreaterThan(2);
      const theirs = frames
        ?.filter(([stream]) => Number(stream) === id)
        .flatMap(([, classes = '', methods = '']) => {
          const numbers = methods.split(',');
          return classes
            .split(',')
            .map((name, index) => METHODS.get(methodId(Number(name), Number(numbers[index])))?.name);
        })
        // What is counted, or the end of what is told already.
        .filter((name) => !/^basic\.(ack|nack)$|close-ok$/.test(name ?? ''));
      if (theirs === undefined) continue;
      expect(ours.sort()).toEqual(theirs.sort());
    }
  });

  it('reads names and lengths as tshark does', async () => {
    const fields = ['amqp.method.arguments.routing_key', 'amqp.method.arguments.reply_text'];
    const frames = tsharkFields(PATH, 'amqp.method.arguments.reply_text', fields);
    const { events } = await analyseFile(PATH);
    const texts = events.flatMap(({ event }) => {
      const { replyText } = (event.fields.amqp ?? {}) as { replyText?: string };
      return event.kind === 'event' && replyText !== undefined ? [replyText] : [];
    });
    expect(texts).toContain("NOT_FOUND - no queue 'missing' in vhost '/'");
    if (frames !== undefined) expect(texts.sort()).toEqual(frames.flatMap(([, text = '']) => [text]).sort());
  });

  it('an Exchange, a message and a close have their parts', async () => {
    const events = (await analyseFile(PATH)).events.map(({ event }) => event);
    expect(events.find(({ label }) => label === 'queue.declare missing')).toMatchObject({
      kind: 'exchange',
      route: 'queue.declare missing',
      status: "404 NOT_FOUND - no queue 'missing' in vhost '/'",
      failed: true,
      fields: { amqp: { method: 'queue.declare', queue: 'missing', channel: 3 } },
    });
    expect(events.find(({ label }) => label === 'basic.get-ok billing orders order.new')).toMatchObject({
      kind: 'message',
      from: 1,
      bytes: 3,
      fields: { amqp: { exchange: 'orders', routingKey: 'order.new', queue: 'billing', bytes: 3 } },
    });
    const closes = events.filter((event) => event.kind === 'event' && event.code === 'AMQP_CLOSE');
    expect(closes.filter((event) => event.kind === 'event' && event.failed)).toHaveLength(5);
    expect(closes.find(({ label }) => label.startsWith('connection.close 200'))).toMatchObject({
      failed: false,
      fields: { amqp: { replyCode: 200, acks: 3, nacks: 1 } },
    });
  });

  it('masks credentials', async () => {
    const text = JSON.stringify((await analyseFile(PATH)).events);
    expect(text).not.toContain('hunter2');
    expect(text).toContain('"mechanism":"PLAIN","response":"***"');
    const [first = []] = ALL;
    const shown = play(amqp, first, { showSecrets: true }).map(({ fields }) => fields.amqp);
    expect(shown).toContainEqual(expect.objectContaining({ response: '\0shop\0hunter2-right' }));
  });
});

describe('any bytes', () => {
  it('the same events however the stream is cut', () => {
    for (const steps of ALL) sameHoweverCut(amqp, steps);
  });

  it('mutated conversations', () => survivesMutations(amqp, ALL, 400));

  it('random bytes are not AMQP', () => likesNoNoise(amqp, 300_000));

  it('knows who speaks when the capture begins in the middle', () => {
    let known = 0;
    for (const steps of ALL) {
      for (const [side, what] of steps) {
        const bytes = what as Uint8Array;
        const likeness = amqp.probe(bytes, 0, bytes.length);
        expect(likeness).not.toBe(otherSide(side) === 0 ? 'client' : 'server');
        if (likeness === 'client' || likeness === 'server') known += 1;
      }
    }
    expect(known).toBeGreaterThan(60);
  });

  it('goes on behind what was not captured, and invents nothing', () => {
    for (const steps of ALL) {
      const share = inventsNothing(amqp, steps, ({ fields }) =>
        JSON.stringify((fields.amqp as { method: string }).method),
      );
      if (steps.length > 20) expect(share).toBeGreaterThan(0.9);
    }
  });
});

describe('what the capture does not have', () => {
  const frame = (type: number, channel: number, payload: string) => {
    const head = Buffer.from([type, channel >> 8, channel & 255, 0, 0, payload.length >> 8, payload.length & 255]);
    return Buffer.concat([head, Buffer.from(payload, 'latin1'), Buffer.from([0xce])]);
  };

  it('methods that want no answer are whole without one', () => {
    const steps: Step[] = [
      [0, 'AMQP\0\0\x09\x01'],
      [0, frame(1, 1, '\0\x32\0\x0a\0\0\x04fast\x10\0\0\0\0')],
      [0, frame(1, 1, '\0\x32\0\x0a\0\0\x04slow\0\0\0\0\0')],
    ];
    expect(sameHoweverCut(amqp, steps)).toMatchObject([
      { label: 'queue.declare fast', failed: false, incomplete: undefined, responseTime: undefined },
      { label: 'queue.declare slow', failed: true, incomplete: 'no response' },
    ]);
  });

  it('a queue that the broker names', () => {
    const steps: Step[] = [
      [0, frame(1, 1, '\0\x32\0\x0a\0\0\0\0\0\0\0\0')],
      [1, frame(1, 1, '\0\x32\0\x0b\x0bamq.gen-abc\0\0\0\0\0\0\0\0')],
    ];
    expect(sameHoweverCut(amqp, steps)).toMatchObject([
      { label: 'queue.declare amq.gen-abc', route: 'queue.declare', status: 'declare-ok' },
    ]);
  });

  it('a broker that refuses a message, is blocked, or speaks another version', () => {
    const steps: Step[] = [
      [1, frame(1, 1, '\0\x3c\0\x78\0\0\0\0\0\0\0\x01\0')],
      [1, frame(1, 0, '\0\x0a\0\x3c\x0alow\non disk')],
      [1, 'AMQP\0\0\x09\x02'],
    ];
    expect(said(sameHoweverCut(amqp, steps))).toEqual([
      'AMQP_NACK basic.nack',
      'AMQP_BLOCKED connection.blocked low on dis',
      'AMQP_VERSION server speaks version 0-9-2',
    ]);
  });

  it('heartbeats tell nothing, and are followed by what does', () => {
    const beat = frame(8, 0, '');
    expect(amqp.probe(beat, 0, beat.length)).toBe('more');
    const more = Buffer.concat([beat, beat, frame(1, 1, '\0\x3c\0\x28\0\0\0\x01k\0')]);
    expect(amqp.probe(more, 0, more.length)).toBe('client');
    expect(
      play(amqp, [
        [0, beat],
        [1, beat],
      ]),
    ).toEqual([]);
  });

  const declare = (queue: string) =>
    frame(1, 1, `\0\x32\0\x0a\0\0${String.fromCharCode(queue.length)}${queue}\0\0\0\0\0`);
  const declared = (queue: string) =>
    frame(1, 1, `\0\x32\0\x0b${String.fromCharCode(queue.length)}${queue}\0\0\0\0\0\0\0\0`);

  it('a lost method shifts nothing: its answer is stated by itself', () => {
    expect(
      play(amqp, [
        [0, declare('a')],
        [1, declared('a')],
        [0, { gap: declare('b').length }],
        [1, declared('b')],
        [0, declare('c')],
        [1, declared('c')],
      ]),
    ).toMatchObject([
      { label: 'queue.declare a', status: 'declare-ok', incomplete: undefined },
      { label: '(request not seen)', status: 'queue.declare-ok', incomplete: 'request not seen', failed: false },
      { label: 'queue.declare c', status: 'declare-ok' },
    ]);
  });

  it('a lost answer, and one that was sent before the method had arrived', () => {
    expect(
      play(amqp, [
        [0, declare('a')],
        [1, { gap: declared('a').length }],
        [0, declare('b')],
        [1, declared('b'), 20],
      ]),
    ).toMatchObject([
      { label: 'queue.declare a', incomplete: 'response not captured', failed: false },
      { label: 'queue.declare b', incomplete: 'no response', failed: true },
    ]);
  });

  const tune = frame(1, 0, '\0\x0a\0\x1e\x07\xff\0\x02\0\0\0\x3c');
  const tuned = frame(1, 0, '\0\x0a\0\x1f\x07\xff\0\x02\0\0\0\x3c');

  it.each([
    [
      'in the middle of a connection',
      [
        [0, tuned],
        [1, tune],
      ],
      { midstream: true },
    ],
    [
      'which had acknowledged it',
      [
        [0, tuned, tune.length],
        [1, tune],
      ],
      {},
    ],
  ] as const)('a method captured behind its answer, %s: that it had none is not stated', (_what, steps, options) => {
    const told = play(amqp, steps, options).filter(({ label }) => label === 'connection.tune');
    expect(told).toMatchObject([{ incomplete: 'unknown', failed: false }]);
  });

  it('an answer to an earlier method, and one that was not answered', () => {
    const steps: Step[] = [
      [0, declare('a')],
      [1, { gap: 5 }],
      [1, declared('b')],
      [0, declare('c')],
    ];
    expect(play(amqp, steps).at(-1)).toMatchObject({
      label: 'queue.declare c',
      incomplete: 'no response',
      failed: true,
    });
  });

  it('waiting methods are bounded', () => {
    const steps: Step[] = [];
    for (let turn = 0; turn < 3000; turn += 1) steps.push([0, frame(1, turn % 7, '\0\x14\0\x0a\0')]);
    expect(play(amqp, steps)).toHaveLength(3000);
  });
});

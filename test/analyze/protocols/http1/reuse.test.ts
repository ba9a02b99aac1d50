import { expect, test } from 'vitest';
import { AT, AT_CHUNKED } from '../../../../src/analyze/protocols/http1/framing.ts';
import type { Head } from '../../../../src/analyze/protocols/http1/head.ts';
import { http1 } from '../../../../src/analyze/protocols/http1/index.ts';
import { MessageReader, type MessageSink } from '../../../../src/analyze/protocols/http1/message.ts';
import { Bodies } from '../../../../src/analyze/protocols/http1/message-body.ts';
import type { StreamAnalyzer, StreamContext } from '../../../../src/analyze/protocols/protocol.ts';
import { type AnalysisEvent, SIDE, type Side } from '../../../../src/analyze/record/event.ts';
import { Random } from '../../../support/random.ts';
import { play, STEADY } from '../play.ts';

const HEAD = 'GET /a HTTP/1.1\r\nHost: shop\r\n\r\n';

/** Notes what a reader tells it. */
class Sink implements MessageSink {
  readonly late = false;
  readonly detail = true;
  readonly showSecrets = false;
  timeKnown = true;
  readonly told: string[] = [];
  /** What is done in `onHead`. */
  readonly taken: (reader: MessageReader) => number;

  constructor(taken: (reader: MessageReader) => number = () => 0) {
    this.taken = taken;
  }

  onHead(reader: MessageReader, head: Head): number {
    this.told.push(`head ${head.isRequest ? head.target : head.status}`);
    return this.taken(reader);
  }
  onEnd(reader: MessageReader): boolean {
    this.told.push(`end ${reader.bytes} gap ${reader.gap} timed ${reader.timeKnown}`);
    return true;
  }
  onBare = () => false;
  onLost = (_: MessageReader, why: string) => void this.told.push(`lost ${why}`);
  onHole = (_: MessageReader, offset: number, length: number) => void this.told.push(`hole ${offset} ${length}`);
}

function give(reader: MessageReader, text: string, position: number): void {
  const bytes = Buffer.from(text);
  reader.data(bytes, 0, bytes.length, 7, position, -1);
}

test('a reader that is used again has nothing of the direction before: who, where, gaps, times, what takes the body', () => {
  const before = new Sink((reader) => {
    reader.body = { take: () => before.told.push('body'), cut: () => before.told.push('cut') };
    return 9;
  });
  const reader = MessageReader.at(SIDE.client, before, 1_000);
  before.timeKnown = false;
  give(reader, `${HEAD}bo`, 1_000);
  reader.missing(7);
  expect(before.told).toEqual(['head /a', 'body', 'cut', 'end 33 gap true timed false']);
  expect(reader.isIdle).toBe(true);
  reader.free();
  expect(reader.body).toBeUndefined();

  const after = new Sink();
  const again = MessageReader.at(SIDE.server, after, 5);
  expect(again).toBe(reader);
  expect(again).toMatchObject({ side: SIDE.server, position: 5, at: AT.head, inHead: false, inDoubt: false });
  // It ends its message at once: what follows is the next one.
  give(again, 'HTTP/1.1 204 No Content\r\n\r\n', 5);
  again.missing(3);
  expect(after.told).toEqual(['head 204', 'end 27 gap false timed true', 'lost ', 'hole 32 3']);
  expect(before.told).toHaveLength(4);
  expect(again.body).toBeUndefined();
});

/** Of a head whose body of one byte may not come. */
function doubted(reader: MessageReader): number {
  reader.mayLackBody = true;
  return 1;
}

test.each<[what: string, text: string, taken: (reader: MessageReader) => number, end: boolean]>([
  ['within a head', HEAD.slice(0, 20), () => 0, false],
  ['within a body', HEAD, () => 1, false],
  ['within a body that may not come', HEAD, doubted, false],
  ['before the last chunk', `${HEAD}1\r\na\r\n`, () => AT_CHUNKED, false],
  ['behind the last chunk', `${HEAD}1\r\na\r\n0\r\n\r\n`, () => AT_CHUNKED, true],
  ['within what is not understood', '\x01\x02\x03', () => 0, false],
  ['behind two messages', HEAD + HEAD, () => 0, true],
])('a direction %s has its reader for itself', (_, text, taken, isIdle) => {
  const reader = new MessageReader(SIDE.client, new Sink(taken));
  give(reader, text, 0);
  expect(reader.isIdle).toBe(isIdle);
});

type Context = { -readonly [member in keyof StreamContext]: StreamContext[member] };
interface Step {
  readonly side: Side;
  readonly text: string;
  readonly gap: number;
  readonly isTimed: boolean;
}

/** A connection of which a step at a time is played. */
class Played {
  readonly events: AnalysisEvent[] = [];
  readonly #steps: readonly Step[];
  readonly #context: Context;
  readonly #analyzer: StreamAnalyzer;
  readonly #sent: [number, number] = [0, 0];
  #at = 0;

  constructor(steps: readonly Step[]) {
    this.#steps = steps;
    this.#context = {
      ...STEADY,
      midstream: false,
      detail: true,
      showSecrets: false,
      bodies: new Bodies(false),
      serverPort: 80,
      beginning: () => 0,
      finSeen: () => false,
      emit: (event) => void this.events.push(event),
      annotate: () => undefined,
      become: () => ({ data: () => undefined, gap: () => undefined, end: () => undefined }),
    };
    this.#analyzer = http1.create(this.#context);
  }

  get isOver(): boolean {
    return this.#at > this.#steps.length;
  }

  /** The next step, or the end. */
  step(): void {
    const step = this.#steps[this.#at];
    this.#at += 1;
    if (step === undefined) {
      this.#analyzer.end('closed', SIDE.client);
      return;
    }
    const { side, text, gap, isTimed } = step;
    this.#context.now = this.#at * 1e6;
    if (gap > 0) {
      this.#sent[side] += gap;
      this.#analyzer.gap(side, gap);
      return;
    }
    this.#context.timeKnown = isTimed;
    this.#context.offset = this.#sent[side];
    this.#context.acknowledged = this.#sent[side === SIDE.client ? SIDE.server : SIDE.client];
    this.#sent[side] += text.length;
    const bytes = Buffer.from(text, 'latin1');
    this.#analyzer.data(side, bytes, 0, bytes.length);
  }
}

const REQUESTS = [
  HEAD,
  'HEAD /h HTTP/1.1\r\nHost: shop\r\n\r\n',
  'POST /p HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello',
  'POST /e HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n',
  'POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  'GET /old\r\n',
  '\r\n\x02\x03 no HTTP',
];
const ANSWERS = [
  'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nworld',
  'HTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nnot there',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n0\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
  'HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\n\r\n<title>away</title>',
  'bare',
];

/** What a connection may carry, cut anywhere, some of it not captured, some of it without its own time. */
function conversation(random: Random): Step[] {
  const steps: Step[] = [];
  const exchanges = 1 + random.below(6);
  for (let exchange = 0; exchange < exchanges; exchange += 1) {
    for (const [side, texts] of [[SIDE.client, REQUESTS] as const, [SIDE.server, ANSWERS] as const]) {
      // Mostly the first ones, else hardly any connection would be understood to its end.
      const text = texts[random.below(3) === 0 ? random.below(texts.length) : random.below(2)] as string;
      for (let at = 0; at < text.length; ) {
        const size = random.below(2) === 0 ? text.length : 1 + random.below(text.length);
        const portion = text.slice(at, at + size);
        at += size;
        const isMissing = random.below(12) === 0;
        steps.push({ side, text: portion, gap: isMissing ? portion.length : 0, isTimed: random.below(10) > 0 });
      }
    }
  }
  return steps;
}

test('connections whose packets come between one another read as each does alone', () => {
  const random = new Random(11);
  let exchanges = 0;
  for (let round = 0; round < 60; round += 1) {
    const conversations = Array.from({ length: 12 }, () => conversation(random));
    const alone = conversations.map((steps) => {
      const played = new Played(steps);
      while (!played.isOver) played.step();
      return played.events;
    });
    const together = conversations.map((steps) => new Played(steps));
    for (let open = together; open.length > 0; open = open.filter((played) => !played.isOver))
      (open[random.below(open.length)] as Played).step();
    expect(together.map(({ events }) => events)).toEqual(alone);
    exchanges += alone.flat().filter(({ kind }) => kind === 'exchange').length;
  }
  expect(exchanges).toBeGreaterThan(1_000);
});

test('where a hole lies is known of a direction that has no reader at the time', () => {
  const answer = 'HTTP/1.1 204 No Content\r\n\r\n';
  const events = play(http1, [
    [SIDE.client, HEAD],
    [SIDE.server, answer],
    // Of the answers to two requests one was not captured: the other may be either's.
    [SIDE.client, HEAD.replace('/a', '/b') + HEAD.replace('/a', '/c')],
    [SIDE.server, { gap: 20 }],
    [SIDE.server, answer],
  ]);
  expect(events.map(({ label }) => label)).toEqual(['GET /a', 'GET /b', '(request unknown)', 'GET /c']);
});

import type { Random } from '../../support/random.ts';
import type { MadeConversation, MadeExchange } from './conversation.ts';
import { type Network, timeout } from './network.ts';

/** How client, server and the network between them behave. Times: ns. */
export interface Behaviour {
  /** One request at a time; several at once and then their answers; or always some under way. */
  readonly client: 'serial' | 'batches' | 'window';
  /** Requests under way at most; 1 for a serial client. */
  readonly depth: number;
  readonly oneWay: number;
  readonly serviceMaximum: number;
  readonly thinkMaximum: number;
  readonly segmentBytes: number;
  /** How long a receiver waits with the acknowledgement of a lone segment. */
  readonly delayedAck: number;
  readonly closes: boolean;
}

/** A segment as its sender sent it. Offsets count the bytes of its direction's stream. */
export interface SentSegment {
  readonly side: 0 | 1;
  readonly offset: number;
  readonly bytes: Buffer;
  /** Bytes of the other direction that its sender had received. */
  readonly acknowledged: number;
  readonly flags: 'S' | 'S.' | '.' | 'P.' | 'F.';
  readonly sent: number;
  /** Lost on its way, behind this part of it: 0 at its sender, 1 at its receiver. */
  readonly reach?: number;
  /** A keep-alive: its byte is of no message. */
  readonly isProbe?: boolean;
  /** The sender's receive window, where that is not large. */
  readonly window?: number;
}

/** Where a message lies in its direction's stream: from the first byte up to before the last. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

export interface RanConnection {
  readonly conversation: MadeConversation;
  readonly behaviour: Behaviour;
  readonly segments: readonly SentSegment[];
  /** The network may have lost segments, which were sent again. */
  readonly hasNetwork: boolean;
  /** By the exchange's index. */
  readonly requests: readonly Range[];
  readonly responses: readonly Range[];
}

/** A segment's size in ns of sending: what keeps the segments of one write apart. */
const SERIALISATION = 1_000;

/** How long a connection is idle before a keep-alive: times of the way there, and ns. */
const TIMES_IDLE = 4;
const IDLE_NS = 3_000_000;

export function randomBehaviour(random: Random): Behaviour {
  const client = (['serial', 'serial', 'batches', 'window'] as const)[random.below(4)] as Behaviour['client'];
  return {
    client,
    depth: client === 'serial' ? 1 : 2 + random.below(8),
    oneWay: [20_000, 100_000, 1_000_000, 20_000_000, 75_000_000][random.below(5)] as number,
    serviceMaximum: [50_000, 1_000_000, 30_000_000][random.below(3)] as number,
    thinkMaximum: [1_000, 500_000, 100_000_000][random.below(3)] as number,
    segmentBytes: [300, 1448, 1448, 9_000][random.below(4)] as number,
    delayedAck: [0, 1_000_000, 40_000_000][random.below(3)] as number,
    closes: random.below(4) > 0,
  };
}

/** Run a conversation over one connection. @param network without it nothing is lost on the way */
export function runConnection(
  conversation: MadeConversation,
  behaviour: Behaviour,
  random: Random,
  network?: Network,
): RanConnection {
  return new Connection(conversation, behaviour, random, network).run();
}

class Connection {
  readonly #conversation: MadeConversation;
  readonly #behaviour: Behaviour;
  readonly #random: Random;
  readonly #network: Network | undefined;
  /** What has arrived behind something that has not, by its sender. */
  readonly #early: [Range[], Range[]] = [[], []];
  readonly #segments: SentSegment[] = [];
  readonly #requests: Range[] = [];
  /** By index; and in the order in which they were sent. */
  readonly #responses: Range[] = [];
  readonly #inOrder: Range[] = [];
  readonly #agenda: { readonly time: number; readonly order: number; readonly act: () => void }[] = [];
  readonly #sent = [0, 0];
  readonly #received = [0, 0];
  /** What each side knows that the other has received of its bytes. */
  readonly #confirmed = [0, 0];
  readonly #unacknowledged = [0, 0];
  readonly #busyUntil = [0, 0];
  /** When the answer before the next one is written. */
  #writtenAt = 0;
  #opening = 0;
  #openingEnds: number[] = [];
  #asked = 0;
  #askedAt = 0;
  #answered = 0;
  #serving = 0;
  #order = 0;
  #now = 0;
  #closed = false;

  constructor(conversation: MadeConversation, behaviour: Behaviour, random: Random, network: Network | undefined) {
    this.#network = conversation.transport === 'udp' ? undefined : network;
    this.#conversation = conversation;
    this.#behaviour = behaviour;
    this.#random = random;
  }

  run(): RanConnection {
    const { oneWay } = this.#behaviour;
    if (!this.#isDatagrams) {
      this.#put(0, 'S', 0);
      this.#at(oneWay, () => this.#put(1, 'S.', 0));
      this.#at(2 * oneWay, () => this.#put(0, '.', 0));
    }
    this.#at(2 * oneWay + 1_000, () => this.#progress());
    this.#at(3 * oneWay + 1_000, () => this.#progress());
    while (this.#agenda.length > 0) {
      const next = this.#agenda.shift();
      if (next === undefined) break;
      this.#now = next.time;
      next.act();
    }
    return {
      conversation: this.#conversation,
      behaviour: this.#behaviour,
      hasNetwork: this.#network !== undefined,
      segments: this.#segments.toSorted((a, b) => a.sent - b.sent),
      requests: this.#requests,
      responses: this.#responses,
    };
  }

  get #isDatagrams(): boolean {
    return this.#conversation.transport === 'udp';
  }

  #at(time: number, act: () => void): void {
    const entry = { time: Math.round(time), order: this.#order, act };
    this.#order += 1;
    let index = this.#agenda.length;
    while (index > 0) {
      const before = this.#agenda[index - 1];
      if (before === undefined || before.time <= entry.time) break;
      index -= 1;
    }
    this.#agenda.splice(index, 0, entry);
  }

  /** What may happen now that bytes have come. */
  #progress(): void {
    const { opening } = this.#conversation;
    if (this.#opening < opening.length) {
      const before = this.#openingEnds[this.#opening - 1];
      const [side, bytes] = opening[this.#opening] as (typeof opening)[number];
      const previous = opening[this.#opening - 1];
      if (previous !== undefined && before !== undefined && (this.#received[previous[0]] as number) < before) return;
      this.#opening += 1;
      this.#write(side, bytes);
      this.#openingEnds.push(this.#sent[side] as number);
      return;
    }
    const last = opening.at(-1);
    if (last !== undefined && (this.#received[last[0]] as number) < (this.#openingEnds.at(-1) ?? 0)) return;
    this.#serve();
    this.#ask();
  }

  #ask(): void {
    const { client, depth, thinkMaximum } = this.#behaviour;
    const received = this.#received[1] as number;
    while (((this.#inOrder[this.#answered] as Range | undefined)?.end ?? Number.POSITIVE_INFINITY) <= received) {
      this.#answered += 1;
    }
    const { exchanges } = this.#conversation;
    if (this.#asked >= exchanges.length) {
      if (this.#answered === exchanges.length) this.#close();
      return;
    }
    const waiting = this.#asked - this.#answered;
    const room = client === 'batches' ? (waiting === 0 ? 1 + this.#random.below(depth) : 0) : depth - waiting;
    if (room <= 0) return;
    const first = this.#asked;
    this.#asked = Math.min(exchanges.length, first + room);
    const until = this.#asked;
    // A client that has more to ask does not overtake itself.
    this.#askedAt = Math.max(this.#askedAt, this.#now + this.#random.below(thinkMaximum));
    this.#at(this.#askedAt, () => {
      const together: Buffer[] = [];
      const isDatagrams = this.#isDatagrams;
      for (let index = first; index < until; index += 1) {
        const { request, before } = exchanges[index] as (typeof exchanges)[number];
        if (before !== undefined) together.push(before);
        const start = (this.#sent[0] as number) + together.reduce((sum, bytes) => sum + bytes.length, 0);
        this.#requests[index] = { start, end: start + request.length };
        together.push(request);
        if (isDatagrams || this.#random.below(2) === 0 || index === until - 1) {
          this.#write(0, Buffer.concat(together.splice(0)));
        }
      }
    });
  }

  /** The server answers in order; by number, sometimes out of it. */
  #serve(): void {
    const received = this.#received[0] as number;
    while (this.#serving < this.#conversation.exchanges.length) {
      const request = this.#requests[this.#serving];
      if (request === undefined || request.end > received) return;
      const index = this.#serving;
      this.#serving += 1;
      const earliest = this.#conversation.anyOrder ? this.#now : Math.max(this.#now, this.#writtenAt);
      const ready = earliest + 1 + this.#random.below(this.#behaviour.serviceMaximum);
      // The answer before it is written first.
      if (!this.#conversation.anyOrder) this.#writtenAt = ready;
      this.#at(ready, () => {
        const { response, after } = this.#conversation.exchanges[index] as MadeExchange;
        const start = this.#sent[1] as number;
        const range = { start, end: start + response.length };
        this.#responses[index] = range;
        this.#inOrder.push(range);
        this.#write(1, after === undefined ? response : Buffer.concat([response, after]));
      });
    }
  }

  #write(side: 0 | 1, bytes: Buffer): void {
    const { segmentBytes } = this.#behaviour;
    const size = this.#isDatagrams ? bytes.length : segmentBytes;
    for (let at = 0; at < bytes.length; at += size) {
      const part = bytes.subarray(at, at + size);
      const sent = Math.max(this.#now, this.#busyUntil[side] as number);
      this.#busyUntil[side] = sent + SERIALISATION;
      this.#unacknowledged[side] = 0;
      const start = this.#sent[side] as number;
      this.#sent[side] = start + part.length;
      this.#transmit(side, start, part, sent);
    }
  }

  #transmit(side: 0 | 1, offset: number, bytes: Buffer, sent: number): void {
    const { oneWay } = this.#behaviour;
    const isLost = this.#happens(this.#network?.lost);
    const segment = {
      side,
      offset,
      bytes,
      acknowledged: this.#received[1 - side] as number,
      flags: 'P.',
      sent,
    } as const;
    this.#segments.push(isLost ? { ...segment, reach: this.#random.below(100) / 100 } : segment);
    if (!isLost) {
      this.#at(sent + oneWay, () => {
        this.#confirm(side, segment.acknowledged);
        this.#arrived(side, offset, offset + bytes.length);
      });
    }
    if (isLost || this.#happens(this.#network?.spurious)) {
      const again = sent + timeout(oneWay, this.#random);
      // What was acknowledged is not sent again (RFC 9293 section 3.10.7.4): so no request acknowledges its own answer.
      this.#at(again, () => {
        if ((this.#confirmed[side] as number) < offset + bytes.length) this.#transmit(side, offset, bytes, again);
      });
    }
    if (this.#happens(this.#network?.keepAlives)) {
      this.#at(sent + TIMES_IDLE * oneWay + IDLE_NS, () => this.#probe(side));
    }
  }

  /** @param perMille of 1,000 times; without a network nothing is drawn */
  #happens(perMille: number | undefined): boolean {
    return perMille !== undefined && this.#random.below(1_000) < perMille;
  }

  /** A keep-alive, and its answer: of a byte that was acknowledged before. */
  #probe(side: 0 | 1): void {
    const end = this.#sent[side] as number;
    if (this.#closed || end === 0 || this.#confirmed[side] !== end) return;
    const bytes = Buffer.alloc(this.#random.below(2));
    const acknowledged = this.#received[1 - side] as number;
    const sent = Math.max(this.#now, this.#busyUntil[side] as number);
    this.#segments.push({ side, offset: end - 1, bytes, acknowledged, flags: '.', sent, isProbe: true });
    this.#at(sent + this.#behaviour.oneWay, () => this.#acknowledge(side === 0 ? 1 : 0));
  }

  #arrived(side: 0 | 1, start: number, end: number): void {
    const early = this.#early[side];
    early.push({ start, end });
    const isNext = (range: Range) => range.start <= (this.#received[side] as number);
    for (let at = early.findIndex(isNext); at >= 0; at = early.findIndex(isNext)) {
      const [next] = early.splice(at, 1) as [Range];
      this.#received[side] = Math.max(this.#received[side] as number, next.end);
    }
    const receiver = side === 0 ? 1 : 0;
    this.#unacknowledged[receiver] = (this.#unacknowledged[receiver] as number) + 1;
    if ((this.#unacknowledged[receiver] as number) >= 2) this.#acknowledge(receiver);
    else {
      this.#at(this.#now + this.#behaviour.delayedAck + 500, () => {
        if ((this.#unacknowledged[receiver] as number) > 0) this.#acknowledge(receiver);
      });
    }
    this.#progress();
  }

  #acknowledge(side: 0 | 1): void {
    this.#unacknowledged[side] = 0;
    const acknowledged = this.#received[1 - side] as number;
    if (!this.#happens(this.#network?.zeroWindows)) {
      this.#put(side, '.', acknowledged);
      return;
    }
    this.#put(side, '.', acknowledged, 0);
    const { oneWay } = this.#behaviour;
    this.#at(this.#now + oneWay, () => this.#probe(side === 0 ? 1 : 0));
    this.#at(this.#now + 3 * oneWay, () => this.#put(side, '.', this.#received[1 - side] as number));
  }

  #put(side: 0 | 1, flags: SentSegment['flags'], acknowledged: number, window?: number): void {
    if (this.#isDatagrams) return;
    const sent = Math.max(this.#now, this.#busyUntil[side] as number);
    this.#segments.push({
      side,
      offset: this.#sent[side] as number,
      bytes: Buffer.alloc(0),
      acknowledged,
      flags,
      sent,
      ...(window === undefined ? {} : { window }),
    });
    this.#at(sent + this.#behaviour.oneWay, () => this.#confirm(side, acknowledged));
  }

  /** An acknowledgement has arrived. @param side that sent it */
  #confirm(side: 0 | 1, acknowledged: number): void {
    const other = side === 0 ? 1 : 0;
    this.#confirmed[other] = Math.max(this.#confirmed[other] as number, acknowledged);
  }

  #close(): void {
    if (this.#closed || !this.#behaviour.closes) return;
    this.#closed = true;
    const { oneWay } = this.#behaviour;
    this.#put(0, 'F.', this.#received[1] as number);
    this.#at(this.#now + oneWay, () => this.#put(1, 'F.', this.#received[0] as number));
  }
}

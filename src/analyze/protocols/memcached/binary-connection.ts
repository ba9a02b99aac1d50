import { i32, u8, u16 } from '../../bytes.ts';
import { SIDE, type Side } from '../../record/event.ts';
import { utf8 } from '../../record/text.ts';
import { LengthFramer } from '../length-framer.ts';
import { oneLine } from '../one-line.ts';
import type { StreamAnalyzer, StreamContext, StreamEnd } from '../protocol.ts';
import {
  ANSWERED_WITH_KEY,
  BINARY_HEADER,
  binaryBegins,
  binaryLength,
  commandName,
  isFailedStatus,
  isQuiet,
  QUIT,
  STAT,
  statusName,
} from './binary.ts';
import type { MemcachedAnswer } from './events.ts';
import { Requests } from './requests.ts';

/** Bytes kept of a message: its header, extras and key. */
const KEEP = 512;

/** memcached's binary protocol on one connection. */
export class BinaryConnection implements StreamAnalyzer {
  readonly #context: StreamContext;
  readonly #requests: Requests;
  readonly #framers: readonly [LengthFramer, LengthFramer];
  /** Answers to `stat` that came so far: one for each, and an empty one at the end. */
  #stats: MemcachedAnswer | undefined;

  constructor(context: StreamContext) {
    this.#context = context;
    this.#requests = new Requests(context);
    this.#framers = [this.#framer(SIDE.client), this.#framer(SIDE.server)];
  }

  data(side: Side, bytes: Uint8Array, start: number, end: number): void {
    const { now, offset, acknowledged, timeKnown } = this.#context;
    const unheard = this.#requests.stream.unheard(side);
    if (unheard > 0) this.gap(side, unheard);
    this.#requests.stream.delivered(side, end - start);
    this.#framers[side].data(bytes, start, end, now, offset, acknowledged, timeKnown);
  }

  gap(side: Side, length: number): void {
    const { stream } = this.#requests;
    const framer = this.#framers[side];
    const offset = stream.gap(side, length);
    const within = framer.length - framer.seen;
    framer.gap(length, this.#context.now);
    if (length > within) stream.missed(side, offset, length);
  }

  end(how: StreamEnd, by?: Side): void {
    this.#stats = undefined;
    this.#requests.end(how, by);
  }

  #framer(side: Side): LengthFramer {
    const isRequest = side === SIDE.client;
    const begins = (bytes: Uint8Array, start: number) => binaryBegins(bytes, start, isRequest);
    return new LengthFramer({
      header: BINARY_HEADER,
      keep: KEEP,
      holes: true,
      seeking: { bytes: BINARY_HEADER, begins },
      lengthOf: (bytes, start) => (begins(bytes, start) ? binaryLength(bytes, start) : 0),
      onMessage: (bytes, start, end, length, first, last, whole) => {
        if (isRequest) this.#onRequest(bytes, start, end, length, first, last, whole);
        else this.#onResponse(bytes, start, end, length, first, last, whole);
      },
      onLost: () => {
        if (side === SIDE.server) this.#stats = undefined;
      },
      onSkipped: (offset) => this.#requests.stream.skipped(side, offset, 0),
    });
  }

  #onRequest(
    bytes: Uint8Array,
    start: number,
    end: number,
    length: number,
    first: number,
    last: number,
    whole: boolean,
  ): void {
    const opcode = u8(bytes, start + 1);
    const key = oneLine(keyOf(bytes, start, end));
    const command = commandName(opcode);
    const framer = this.#framers[SIDE.client];
    if (QUIT.has(opcode)) return;
    const quiet = isQuiet(opcode);
    this.#requests.push({
      command,
      key,
      label: this.#context.detail && key !== '' ? `${command} ${key}` : command,
      time: first,
      requestEnd: last,
      timed: framer.timed && framer.endSeen,
      bytes: length,
      gap: !whole,
      start: framer.offset,
      end: framer.offset + length,
      acknowledged: framer.firstAcknowledged,
      opaque: identity(bytes, start, end),
      quiet,
      noreply: false,
      before: quiet ? [] : this.#requests.quiet,
    });
  }

  #onResponse(
    bytes: Uint8Array,
    start: number,
    end: number,
    length: number,
    first: number,
    last: number,
    whole: boolean,
  ): void {
    const opcode = u8(bytes, start + 1);
    const status = u16(bytes, start + 6);
    const framer = this.#framers[SIDE.server];
    const before = this.#stats;
    const { timed } = framer;
    const answer: MemcachedAnswer =
      before === undefined
        ? {
            start: framer.offset,
            acknowledged: framer.firstAcknowledged,
            firstTime: first,
            lastTime: framer.endSeen ? last : undefined,
            timed,
            bytes: length,
            gap: !whole,
          }
        : {
            ...before,
            lastTime: framer.endSeen ? last : undefined,
            timed: before.timed && timed,
            bytes: before.bytes + length,
            gap: before.gap || !whole,
          };
    this.#stats = opcode === STAT && status === 0 && u16(bytes, start + 2) > 0 ? answer : undefined;
    if (this.#stats !== undefined) return;
    const named = identity(bytes, start, end);
    this.#requests.answer(answer, {
      status: () => statusName(opcode, status),
      failed: isFailedStatus(status),
      fits: (request) => request.opaque === named,
    });
  }
}

/**
 * What an answer and its request have in common: the opcode, the number that the client chose, and the key where answers have it. Clients
 * leave the number at 0 and go by the keys.
 */
function identity(bytes: Uint8Array, start: number, end: number): string {
  const opcode = u8(bytes, start + 1);
  return `${opcode}:${i32(bytes, start + 12)}:${ANSWERED_WITH_KEY.has(opcode) ? keyOf(bytes, start, end) : ''}`;
}

function keyOf(bytes: Uint8Array, start: number, end: number): string {
  const at = start + BINARY_HEADER + u8(bytes, start + 4);
  return utf8(bytes, at, Math.min(end, at + u16(bytes, start + 2)));
}

import { u8, u16 } from '../../bytes.ts';
import { type Exchange, type Fields, SIDE, type Side } from '../../record/event.ts';
import { maskText } from '../../record/secrets.ts';
import { latin1 } from '../../record/text.ts';
import { FramedConnection, type FramedMessage, type SideFraming } from '../framed-connection.ts';
import { type Ending, failedWithout, measured } from '../framed-exchange.ts';
import { NumberedRequests } from '../numbered-requests.ts';
import { oneLine } from '../one-line.ts';
import type { StreamAnalyzer, StreamContext, StreamEnd } from '../protocol.ts';
import { errorText, statementNames } from '../statement.ts';
import { REQUEST_NOT_SEEN, unfinished } from '../unfinished.ts';
import { type Asked, type Outcome, RESULT, readRequest, readResponse } from './body.ts';
import { errorName } from './errors.ts';
import {
  FRAME_HEADER,
  frameBegins,
  frameLength,
  HEADER,
  isSegment,
  OPCODE,
  SEEK,
  segmentBegins,
  VERSION_5,
} from './frame.ts';
import { Prepared } from './prepared.ts';
import { isSelfContained, payloadOf, SEGMENT_HEADER, segmentLength } from './segment.ts';

/** Bytes kept of a frame or a segment, which holds many frames; and of a frame that takes several segments. */
const KEEP = 32 * 1024;
const LARGE_KEEP = 4096;

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(OPCODE).map(([name, opcode]) => [
    opcode,
    name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase(),
  ]),
);

/** A request that waits. */
interface Request {
  readonly stream: number;
  readonly asked: Asked;
  /** The statement, also of one that is prepared. */
  readonly statement: string;
  readonly message: FramedMessage;
}

/** A frame that takes several segments. */
interface Large {
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly first: FramedMessage;
  seen: number;
  whole: boolean;
}

/** CQL of one connection: requests and responses, paired by their stream's number, which clients use again. */
export class CqlConnection implements StreamAnalyzer {
  readonly #context: StreamContext;
  readonly #connection: FramedConnection;
  readonly #pending: NumberedRequests<Request>;
  readonly #prepared = new Prepared();
  /** Frames travel in segments (version 5, behind the handshake); undefined while that is not known. */
  #isSegmented: boolean | undefined;
  readonly #large: [Large | undefined, Large | undefined] = [undefined, undefined];
  /** Requests were passed over in a segment. */
  #requestsMissed = false;
  #isCompressed = false;
  #isHidden = false;
  #ending: Ending = {};

  constructor(context: StreamContext) {
    this.#context = context;
    this.#isSegmented = context.midstream ? undefined : false;
    this.#connection = new FramedConnection(context, {
      protocol: 'cql',
      title: 'CQL',
      sides: [this.#framing(SIDE.client), this.#framing(SIDE.server)],
    });
    this.#pending = new NumberedRequests<Request>(this.#connection, {
      context,
      kept: LARGE_KEEP,
      ordered: false,
      unanswered: (request, incomplete, endedBy) => this.#emit(request, undefined, undefined, { incomplete, endedBy }),
    });
  }

  data(side: Side, bytes: Uint8Array, start: number, end: number): void {
    if (!this.#isHidden) this.#connection.data(side, bytes, start, end);
  }

  gap(side: Side, length: number): void {
    if (!this.#isHidden) this.#connection.gap(side, length);
  }

  end(how: StreamEnd, by?: Side): void {
    this.#ending = { incomplete: unfinished(how, true), endedBy: by };
    if (!this.#isHidden) this.#connection.end();
    this.#pending.end(how, by);
  }

  #framing(side: Side): SideFraming {
    return {
      header: HEADER,
      headerMaximum: FRAME_HEADER,
      keep: KEEP,
      seeking: {
        bytes: SEEK,
        least: HEADER,
        begins: (bytes, start, end) => this.#begins(side, bytes, start, end),
      },
      lengthOf: (bytes, start, end) => this.#lengthOf(side, bytes, start, end),
      onMessage: (bytes, start, end, message) => {
        if (this.#isHidden) return;
        if (this.#isSegmented === true) this.#onSegment(side, bytes, start, end, message);
        else this.#onFrame(side, bytes, start, end, message);
      },
      onLost: () => {
        this.#large[side] = undefined;
      },
    };
  }

  #begins(side: Side, bytes: Uint8Array, start: number, end: number): boolean | undefined {
    const frame = this.#isSegmented === true ? false : frameBegins(side, bytes, start, end);
    if (frame === true || this.#isSegmented === false) return frame;
    const segment = segmentBegins(side, bytes, start, end);
    return segment === true || segment === undefined ? segment : frame;
  }

  #lengthOf(side: Side, bytes: Uint8Array, start: number, end: number): number | undefined {
    this.#isSegmented ??= isSegment(bytes, start, end);
    return this.#isSegmented ? segmentLength(bytes, start) : frameLength(side, bytes, start, end);
  }

  /** The frames of a segment, or a part of one. */
  #onSegment(side: Side, bytes: Uint8Array, start: number, end: number, message: FramedMessage): void {
    const payload = payloadOf(message.length);
    const first = start + SEGMENT_HEADER;
    const last = first + payload;
    const limit = Math.min(end, last);
    if (!isSelfContained(bytes, start)) {
      this.#onPart(side, bytes, first, limit, payload, message);
      return;
    }
    this.#large[side] = undefined;
    let at = first;
    while (at + FRAME_HEADER <= limit) {
      const length = frameLength(side, bytes, at, limit) ?? 0;
      if (length === 0) break;
      const whole = message.whole || at + length <= limit;
      this.#onFrame(side, bytes, at, Math.min(limit, at + length), {
        ...message,
        bytes: whole ? length : limit - at,
        length,
        start: message.start + at - start,
        whole,
      });
      at += length;
    }
    if (at !== last) this.#passedOver(side);
  }

  #onPart(side: Side, bytes: Uint8Array, start: number, end: number, payload: number, message: FramedMessage): void {
    const large = this.#large[side];
    if (large === undefined) {
      const length = frameLength(side, bytes, start, end) ?? 0;
      if (length === 0) {
        this.#passedOver(side);
        return;
      }
      const kept = bytes.slice(start, Math.min(end, start + LARGE_KEEP));
      this.#large[side] = { bytes: kept, length, first: message, seen: payload, whole: message.whole };
      return;
    }
    large.seen += payload;
    large.whole &&= message.whole;
    if (large.seen < large.length) return;
    this.#large[side] = undefined;
    const { length, first, whole } = large;
    const { end: lastTime, timed } = message;
    this.#onFrame(side, large.bytes, 0, large.bytes.length, {
      ...first,
      end: lastTime,
      timed: first.timed && timed,
      bytes: length,
      length,
      whole,
    });
  }

  /** Frames of a segment were not read: what they were is not known. */
  #passedOver(side: Side): void {
    if (side === SIDE.client) this.#requestsMissed = true;
    else this.#pending.end('evicted', undefined);
  }

  #onFrame(side: Side, bytes: Uint8Array, start: number, end: number, message: FramedMessage): void {
    if (end - start < FRAME_HEADER) return;
    const stream = (u16(bytes, start + 2) << 16) >> 16;
    if (side === SIDE.client) this.#onRequest(stream, bytes, start, end, message);
    else this.#onResponse(stream, bytes, start, end, message);
  }

  #onRequest(stream: number, bytes: Uint8Array, start: number, end: number, message: FramedMessage): void {
    const asked = readRequest(bytes, start, end);
    if (asked.opcode === OPCODE.startup) {
      const options = latin1(bytes, start + FRAME_HEADER, end);
      this.#isCompressed = options.includes('COMPRESSION');
    }
    const statement = asked.statement || (asked.id === '' ? '' : this.#prepared.statement(asked.id));
    this.#pending.wait(stream, { stream, asked, statement, message });
  }

  #onResponse(stream: number, bytes: Uint8Array, start: number, end: number, message: FramedMessage): void {
    const outcome = readResponse(bytes, start, end);
    if (u8(bytes, start + 4) === OPCODE.event) {
      this.#onEvent(outcome, message);
      return;
    }
    const request = this.#pending.answered(stream, message);
    if (request === undefined) {
      if (this.#isUnseen) this.#emitAlone(stream, message, outcome);
    } else {
      this.#learn(request, outcome);
      const ending = message.end === undefined ? this.#ending : {};
      this.#emit(request, message, outcome, this.#pending.isProven(request) ? ending : { incomplete: 'unknown' });
    }
    const opcode = u8(bytes, start + 4);
    const isHandshake = opcode === OPCODE.ready || opcode === OPCODE.authenticate;
    if (isHandshake && (u8(bytes, start) & 0x7f) === VERSION_5 && this.#isSegmented === false)
      this.#beginSegments(message);
  }

  #beginSegments({ time }: FramedMessage): void {
    this.#isSegmented = true;
    if (!this.#isCompressed) return;
    this.#isHidden = true;
    this.#context.emit({
      kind: 'event',
      protocol: 'cql',
      code: 'CQL_COMPRESSED',
      label: 'compressed segments follow: not decoded',
      time,
      from: undefined,
      failed: false,
      fields: {},
    });
  }

  get #isUnseen(): boolean {
    return this.#context.midstream || this.#requestsMissed || this.#connection.missedSince(SIDE.client, -1);
  }

  /** What an answer shows of later requests. */
  #learn({ asked, statement }: Request, outcome: Outcome | undefined): void {
    if (outcome?.kind === RESULT.prepared && asked.opcode === OPCODE.prepare && statement !== '') {
      this.#prepared.prepared(outcome.name, statement);
    }
  }

  #onEvent(outcome: Outcome | undefined, { time, length }: FramedMessage): void {
    this.#context.emit({
      kind: 'message',
      protocol: 'cql',
      label: `EVENT ${oneLine(outcome?.name ?? '')}`.trimEnd(),
      time,
      from: SIDE.server,
      bytes: length,
      fields: { cql: { operation: 'EVENT' } },
    });
  }

  #emit(request: Request, answer: FramedMessage | undefined, outcome: Outcome | undefined, ending: Ending): void {
    const { asked, statement } = request;
    const operation = NAMES.get(asked.opcode) ?? '';
    const { text, route } = namesOf(asked, operation, statement, this.#context.showSecrets);
    const failed = outcome !== undefined && outcome.code >= 0;
    this.#context.emit({
      kind: 'exchange',
      protocol: 'cql',
      label: this.#context.detail || this.#context.labels === true ? text : route,
      ...measured(request.message, answer, ending),
      status: this.#statusOf(outcome, statement),
      failed: failed || failedWithout(answer, ending.incomplete),
      route,
      fields: { cql: this.#fields(request, operation, outcome) },
    } satisfies Exchange);
  }

  #statusOf(outcome: Outcome | undefined, statement: string): string {
    if (outcome === undefined) return '';
    if (outcome.code < 0) return 'ok';
    return `ERROR ${errorName(outcome.code)} ${this.#errorText(outcome, statement)}`.trimEnd();
  }

  #errorText({ error }: Outcome, statement: string): string {
    const { showSecrets } = this.#context;
    return errorText(showSecrets ? error : maskText(error), statement, showSecrets);
  }

  #fields({ asked, statement, stream }: Request, operation: string, outcome: Outcome | undefined): Fields {
    const isFailed = outcome !== undefined && outcome.code >= 0;
    const plain = {
      operation,
      code: isFailed ? outcome.code : undefined,
      error: isFailed ? this.#errorText(outcome, statement) || undefined : undefined,
    };
    if (!this.#context.detail) return plain;
    const { showSecrets } = this.#context;
    const warning = outcome?.warning ?? '';
    return {
      ...plain,
      statement: statement === '' ? undefined : statementNames(statement, showSecrets).text,
      consistency: asked.consistency || undefined,
      stream,
      warning:
        warning === '' ? undefined : errorText(showSecrets ? warning : maskText(warning), statement, showSecrets),
    };
  }

  /** A response to a request that was not captured. */
  #emitAlone(stream: number, message: FramedMessage, outcome: Outcome | undefined): void {
    const isFailed = outcome !== undefined && outcome.code >= 0;
    this.#context.emit({
      kind: 'exchange',
      protocol: 'cql',
      label: REQUEST_NOT_SEEN,
      ...measured(undefined, message, {}),
      status: this.#statusOf(outcome, ''),
      failed: isFailed,
      route: REQUEST_NOT_SEEN,
      fields: {
        cql: {
          stream,
          code: isFailed ? outcome.code : undefined,
          error: isFailed ? this.#errorText(outcome, '') || undefined : undefined,
        },
      },
    });
  }
}

/** How a request is shown and counted: a statement by itself, all others with what they are. */
function namesOf(
  asked: Asked,
  operation: string,
  statement: string,
  secrets: boolean,
): { text: string; route: string } {
  const { opcode, count, isHidden, id } = asked;
  if (isHidden) return { text: `${operation} (compressed)`, route: operation };
  const many = opcode === OPCODE.batch ? `BATCH ${count}` : '';
  if (statement === '') {
    const about = many || (opcode === OPCODE.execute ? `EXECUTE ${id.slice(0, 8)}`.trimEnd() : operation);
    return { text: about, route: operation };
  }
  const names = statementNames(statement, secrets);
  if (opcode === OPCODE.query || opcode === OPCODE.execute) return names;
  return { text: `${many || operation} ${names.text}`, route: `${operation} ${names.route}` };
}

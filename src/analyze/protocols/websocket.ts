import { u16 } from '../bytes.ts';
import { type AnalysisEvent, SIDE, type Side } from '../record/event.ts';
import { maskText } from '../record/secrets.ts';
import { utf8 } from '../record/text.ts';
import { oneLine } from './one-line.ts';
import type { StreamAnalyzer, StreamContext, StreamProtocol } from './protocol.ts';
import { protocolLost } from './protocol-lost.ts';

/** RFC 6455, section 5.2. */
const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
const HEADER_MAXIMUM = 14;
/** Bytes kept of a message's text, and of a close's reason. */
const PREVIEW = 256;
/** Section 5.5. */
const CONTROL_MAXIMUM = 125;
const LENGTH_MAXIMUM = 2 ** 48;

/** One direction: frames, put together to messages. */
class WebSocketDirection {
  readonly #side: Side;
  readonly #context: StreamContext;
  #lost = false;
  /** Whether an event has reported that frames are no longer found. */
  #reported = false;
  /** Frames are read from where one seems to begin: their events are held until the next frame, or a segment's end, confirms them. */
  #tentative = false;
  readonly #held: AnalysisEvent[] = [];
  /** Where in the stream the frame under way begins, or reading stands. */
  #position = 0;
  /** Frames since then. */
  #frames = 0;
  /** Clients that do not mask, and messages that are compressed, were seen: after a hole a frame may be such a one. */
  #unmasked = false;
  #deflated = false;
  readonly #header = new Uint8Array(HEADER_MAXIMUM);
  #filled = 0;
  #needed = 2;
  #left = 0;
  #offset = 0;
  #final = false;
  #compressed = false;
  #opcode = 0;
  #masked = false;
  /** Of the message under way: its first frame's opcode, its bytes, when it began, and its beginning. */
  #messageOpcode = -1;
  #bytes = 0;
  readonly #kept = new Uint8Array(PREVIEW);
  #keptLength = 0;
  /** Bytes of it were not captured: its text is kept up to there. */
  #holed = false;
  /** A close frame's bytes, unmasked. */
  #control: Uint8Array | undefined;
  #controlLength = 0;
  #inFrame = false;

  constructor(side: Side, context: StreamContext) {
    this.#side = side;
    this.#context = context;
  }

  data(bytes: Uint8Array, start: number, end: number): void {
    if (this.#lost) {
      if (!this.#resume(bytes, start, end)) return;
    }
    let at = start;
    const origin = this.#context.offset - start;
    while (at < end && !this.#lost) {
      if (!this.#inFrame) {
        if (this.#filled === 0) this.#position = origin + at;
        this.#header[this.#filled] = bytes[at] as number;
        this.#filled += 1;
        at += 1;
        if (this.#filled === 2) {
          if (!this.#mayBegin()) {
            this.#lose('no frame header');
            return;
          }
          this.#needed = headerLength(this.#header[1] as number);
        }
        if (this.#filled === this.#needed) this.#begin();
        continue;
      }
      const taken = Math.min(this.#left, end - at);
      this.#keep(bytes, at, at + taken);
      this.#offset += taken;
      this.#left -= taken;
      at += taken;
      if (this.#left === 0) this.#endFrame();
    }
    if (!this.#lost) this.#position = origin + end;
    if (this.#tentative && !this.#lost && !this.#inFrame && this.#filled === 0) this.#confirm();
  }

  gap(length: number): void {
    if (this.#lost) return;
    if (!this.#inFrame || length > this.#left) {
      this.#lose('bytes were not captured');
      return;
    }
    this.#offset += length;
    this.#left -= length;
    this.#holed = true;
    if (this.#left === 0) this.#endFrame();
  }

  /** Frames are not read any more, until one begins with a segment. @param why for the event that reports it */
  #lose(why: string): void {
    this.#lost = true;
    this.#inFrame = false;
    this.#messageOpcode = -1;
    this.#tentative = false;
    this.#held.length = 0;
    if (this.#reported) return;
    this.#reported = true;
    const { now: time } = this.#context;
    const next = 'resumes at the next frame that begins a segment';
    const side = this.#side;
    this.#context.emit(
      protocolLost({ protocol: 'websocket', title: 'WebSocket', side, position: this.#position, time, why, next }),
    );
  }

  /** Whether a segment begins with a frame, as far as can be seen: then reading continues there. */
  #resume(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start < 2) return false;
    const first = bytes[start] as number;
    const second = bytes[start + 1] as number;
    const isMasked = (second & 0x80) !== 0;
    if (this.#side === SIDE.client && !isMasked && !this.#unmasked) return false;
    if ((first & 0x40) !== 0 && !this.#deflated) return false;
    const header = headerLength(second);
    if (end - start < header || !isMinimal(bytes, start, second & 0x7f)) return false;
    this.#lost = false;
    this.#tentative = true;
    this.#frames = 0;
    this.#filled = 0;
    this.#needed = 2;
    return true;
  }

  /** What was read since is a frame. */
  #confirm(): void {
    this.#tentative = false;
    this.#reported = false;
    for (const event of this.#held.splice(0)) this.#context.emit(event);
  }

  #emit(event: AnalysisEvent): void {
    if (this.#tentative) this.#held.push(event);
    else this.#context.emit(event);
  }

  /** Whether the two bytes that every header has may be a frame's. */
  #mayBegin(): boolean {
    const [first, second] = this.#header as unknown as [number, number];
    const opcode = first & 0xf;
    const isControl = opcode >= OPCODE.close;
    if (opcode > OPCODE.pong || (!isControl && opcode > OPCODE.binary)) return false;
    // A server does not mask, a client should (section 5.1) but wstunnel does not; RSV2 and RSV3 mean nothing.
    if ((first & 0x30) !== 0 || ((second & 0x80) !== 0 && this.#side === SIDE.server)) return false;
    return !isControl || ((first & 0x80) !== 0 && (second & 0x7f) <= CONTROL_MAXIMUM);
  }

  #begin(): void {
    const [first, second] = this.#header as unknown as [number, number];
    this.#final = (first & 0x80) !== 0;
    this.#opcode = first & 0xf;
    this.#masked = (second & 0x80) !== 0;
    this.#left = this.#payloadLength(second & 0x7f);
    this.#offset = 0;
    this.#controlLength = 0;
    this.#filled = 0;
    this.#needed = 2;
    const control = this.#opcode >= OPCODE.close;
    if (this.#left > LENGTH_MAXIMUM) {
      this.#lose('no frame header');
      return;
    }
    // A second frame in a row.
    if (this.#tentative && this.#frames > 0) this.#confirm();
    this.#frames += 1;
    if (this.#side === SIDE.client && !this.#masked) this.#unmasked = true;
    if (!control) {
      if (this.#opcode !== OPCODE.continuation) {
        this.#messageOpcode = this.#opcode;
        this.#compressed = (first & 0x40) !== 0;
        if (this.#compressed) this.#deflated = true;
        this.#holed = false;
        this.#bytes = 0;
        this.#keptLength = 0;
      }
      this.#bytes += this.#left;
    }
    if (this.#left === 0) this.#endFrame();
    else this.#inFrame = true;
  }

  #payloadLength(short: number): number {
    const header = this.#header;
    if (short < 126) return short;
    let length = 0;
    const bytes = short === 126 ? 2 : 8;
    for (let index = 2; index < 2 + bytes; index += 1) length = length * 256 + (header[index] as number);
    return length;
  }

  /** Unmasked text of a message (with detail), and the reason of a close. */
  #keep(bytes: Uint8Array, start: number, end: number): void {
    const control = this.#opcode >= OPCODE.close;
    if (
      control
        ? this.#opcode !== OPCODE.close
        : !this.#context.detail || this.#compressed || this.#messageOpcode !== OPCODE.text
    )
      return;
    const keyAt = headerLength(this.#header[1] as number) - 4;
    const offset = this.#offset;
    for (let at = start; at < end; at += 1) {
      const key = this.#masked ? (this.#header[keyAt + ((offset + at - start) & 3)] as number) : 0;
      const byte = (bytes[at] as number) ^ key;
      if (control) {
        this.#control ??= new Uint8Array(CONTROL_MAXIMUM);
        this.#control[this.#controlLength] = byte;
        this.#controlLength += 1;
      } else if (this.#keptLength < PREVIEW && !this.#holed) {
        this.#kept[this.#keptLength] = byte;
        this.#keptLength += 1;
      } else return;
    }
  }

  #endFrame(): void {
    this.#inFrame = false;
    if (this.#opcode === OPCODE.close) this.#close();
    else if (this.#opcode < OPCODE.close && this.#final && this.#messageOpcode >= 0) this.#message();
  }

  #message(): void {
    const kind = this.#messageOpcode === OPCODE.text ? 'text' : 'binary';
    const kept = this.#keptLength > 0 ? this.#text(this.#kept, 0, this.#keptLength) : undefined;
    const text = kept !== undefined && this.#holed ? `${kept}…` : kept;
    this.#messageOpcode = -1;
    this.#emit({
      kind: 'message',
      protocol: 'websocket',
      label: text === undefined ? kind : `${kind} ${text}`,
      time: this.#context.now,
      from: this.#side,
      bytes: this.#bytes,
      fields: { websocket: { opcode: kind, compressed: this.#compressed ? true : undefined, text } },
    });
  }

  #text(bytes: Uint8Array, start: number, end: number): string {
    const text = utf8(bytes, start, end);
    return oneLine(this.#context.showSecrets ? text : maskText(text));
  }

  #close(): void {
    const payload = this.#control ?? new Uint8Array(0);
    const code = this.#controlLength >= 2 ? u16(payload, 0) : undefined;
    const reason = this.#controlLength > 2 ? this.#text(payload, 2, this.#controlLength) : undefined;
    const label = ['closing', code, reason].filter((part) => part !== undefined).join(' ');
    this.#emit({
      kind: 'event',
      protocol: 'websocket',
      code: 'WEBSOCKET_CLOSE',
      label,
      time: this.#context.now,
      from: this.#side,
      // Of the protocol's own codes (section 7.4.1) all but normal and going away; an application's mean what it likes.
      failed: code !== undefined && code > 1001 && code < 3000,
      fields: { websocket: { opcode: 'close', code, reason } },
    });
  }
}

/** Bytes of a frame's header, by its second. */
function headerLength(second: number): number {
  const short = second & 0x7f;
  return 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + (second & 0x80 ? 4 : 0);
}

/** Whether a payload's length is written as short as it can be (section 5.2). @param short the header's 7 bits of it */
function isMinimal(bytes: Uint8Array, start: number, short: number): boolean {
  if (short === 126) return u16(bytes, start + 2) > 125;
  if (short < 126) return true;
  // Of eight bytes, the first two are of lengths that are not believed.
  return u16(bytes, start + 2) === 0 && u16(bytes, start + 4) + u16(bytes, start + 6) > 0;
}

class WebSocketStream implements StreamAnalyzer {
  readonly #directions: readonly [WebSocketDirection, WebSocketDirection];

  constructor(context: StreamContext) {
    this.#directions = [new WebSocketDirection(SIDE.client, context), new WebSocketDirection(SIDE.server, context)];
  }

  data(side: Side, bytes: Uint8Array, start: number, end: number): void {
    this.#directions[side].data(bytes, start, end);
  }

  gap(side: Side, length: number): void {
    this.#directions[side].gap(length);
  }

  end(): void {}
}

/** WebSocket (RFC 6455), after the upgrade that HTTP saw; compressed messages (RFC 7692) are counted, not inflated. */
export const webSocket: StreamProtocol = {
  name: 'websocket',
  title: 'WebSocket',
  ports: [],
  fields: {
    'websocket.opcode': { type: 'string', about: '`text`, `binary` or `close`' },
    'websocket.compressed': { type: 'bool', about: 'the message is compressed, and not inflated here' },
    'websocket.text': { type: 'string', about: 'the beginning of a text message' },
    'websocket.code': { type: 'int', about: 'status code of a close' },
    'websocket.reason': { type: 'string', about: 'reason given with a close' },
  },
  // Entered only by an upgrade: its frames cannot be recognised by their bytes.
  probe: () => 'no',
  create: (context) => new WebSocketStream(context),
};

import { u16 } from '../bytes.ts';
import { SIDE, type Side } from '../record/event.ts';
import { maskText } from '../record/secrets.ts';
import { utf8 } from '../record/text.ts';
import { oneLine } from './one-line.ts';
import type { StreamAnalyzer, StreamContext, StreamProtocol } from './protocol.ts';

/** RFC 6455, section 5.2. */
const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
const HEADER_MAXIMUM = 14;
/** Octets kept of a message's text, and of a close's reason. */
const PREVIEW = 256;
/** Section 5.5. */
const CONTROL_MAXIMUM = 125;
const LENGTH_MAXIMUM = 2 ** 48;

/** One direction: frames, put together to messages. */
class Direction {
  readonly #side: Side;
  readonly #context: StreamContext;
  #lost = false;
  readonly #header = new Uint8Array(HEADER_MAXIMUM);
  #filled = 0;
  #needed = 2;
  #left = 0;
  #offset = 0;
  #final = false;
  #compressed = false;
  #opcode = 0;
  #masked = false;
  /** Of the message under way: what its first frame said, its octets, when it began, and its beginning. */
  #messageOpcode = -1;
  #octets = 0;
  readonly #kept = new Uint8Array(PREVIEW);
  #keptLength = 0;
  /** A close frame's octets, unmasked. */
  #control: Uint8Array | undefined;
  #controlLength = 0;
  #inFrame = false;

  constructor(side: Side, context: StreamContext) {
    this.#side = side;
    this.#context = context;
  }

  data(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end && !this.#lost) {
      if (!this.#inFrame) {
        this.#header[this.#filled] = bytes[at] as number;
        this.#filled += 1;
        at += 1;
        if (this.#filled === 2) this.#needed = headerLength(this.#header[1] as number);
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
  }

  gap(length: number): void {
    if (this.#lost) return;
    if (!this.#inFrame || length > this.#left) {
      this.#lost = true;
      return;
    }
    this.#offset += length;
    this.#left -= length;
    if (this.#left === 0) this.#endFrame();
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
    const unknown = (this.#opcode > OPCODE.binary && !control) || this.#opcode > OPCODE.pong;
    // A server does not mask, a client should (section 5.1) but wstunnel does not; RSV2 and RSV3 mean nothing.
    const wrong = (this.#masked && this.#side === SIDE.server) || (first & 0x30) !== 0;
    if (
      unknown ||
      wrong ||
      this.#left > LENGTH_MAXIMUM ||
      (control && (!this.#final || this.#left > CONTROL_MAXIMUM))
    ) {
      this.#lost = true;
      return;
    }
    if (!control) {
      if (this.#opcode !== OPCODE.continuation) {
        this.#messageOpcode = this.#opcode;
        this.#compressed = (first & 0x40) !== 0;
        this.#octets = 0;
        this.#keptLength = 0;
      }
      this.#octets += this.#left;
    }
    if (this.#left === 0) this.#endFrame();
    else this.#inFrame = true;
  }

  #payloadLength(short: number): number {
    const header = this.#header;
    if (short < 126) return short;
    let length = 0;
    const octets = short === 126 ? 2 : 8;
    for (let index = 2; index < 2 + octets; index += 1) length = length * 256 + (header[index] as number);
    return length;
  }

  /** Text for those who look, and what a close says: unmasked. */
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
      const octet = (bytes[at] as number) ^ key;
      if (control) {
        this.#control ??= new Uint8Array(CONTROL_MAXIMUM);
        this.#control[this.#controlLength] = octet;
        this.#controlLength += 1;
      } else if (this.#keptLength < PREVIEW) {
        this.#kept[this.#keptLength] = octet;
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
    const text = this.#keptLength > 0 ? this.#text(this.#kept, 0, this.#keptLength) : undefined;
    this.#messageOpcode = -1;
    this.#context.emit({
      kind: 'message',
      protocol: 'websocket',
      label: text === undefined ? kind : `${kind} ${text}`,
      time: this.#context.now,
      from: this.#side,
      bytes: this.#octets,
      fields: { websocket: { opcode: kind, compressed: this.#compressed ? true : undefined, text } },
    });
  }

  #text(bytes: Uint8Array, start: number, end: number): string {
    const text = utf8(bytes, start, end);
    return oneLine(this.#context.showSecrets ? text : maskText(text));
  }

  #close(): void {
    const said = this.#control ?? new Uint8Array(0);
    const code = this.#controlLength >= 2 ? u16(said, 0) : undefined;
    const reason = this.#controlLength > 2 ? this.#text(said, 2, this.#controlLength) : undefined;
    const label = ['closing', code, reason].filter((part) => part !== undefined).join(' ');
    this.#context.emit({
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

/** Octets of a frame's header, by its second. */
function headerLength(second: number): number {
  const short = second & 0x7f;
  return 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + (second & 0x80 ? 4 : 0);
}

class WebSocketStream implements StreamAnalyzer {
  readonly #directions: readonly [Direction, Direction];

  constructor(context: StreamContext) {
    this.#directions = [new Direction(SIDE.client, context), new Direction(SIDE.server, context)];
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
  // Entered by an upgrade alone: its frames say too little of themselves.
  probe: () => 'no',
  create: (context) => new WebSocketStream(context),
};

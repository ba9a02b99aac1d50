import { i32, u8, u16 } from '../../bytes.ts';
import { latin1, utf8 } from '../../record/text.ts';
import type { Method } from './methods.ts';

/** Bytes kept of a long text, such as a SASL response. */
const LONG_MAXIMUM = 256;

/** A method's decoded arguments. Reused: read it before the next method is read. */
export class Arguments {
  queue = '';
  exchange = '';
  routingKey = '';
  consumerTag = '';
  virtualHost = '';
  replyText = '';
  replyCode = 0;
  /** The method that a close blames, as `methodId`; 0 for none. */
  blamed = 0;
  mechanism = '';
  secret = '';
  noWait = false;
  redelivered = false;

  /** @param start of the arguments, behind class and method */
  read(method: Method, bytes: Uint8Array, start: number, end: number): void {
    this.#clear();
    let at = start;
    for (const part of method.parts) {
      const length = lengthOf(part, bytes, at, end);
      if (length < 0 || at + length > end) return;
      this.#take(part, method, bytes, at, at + length);
      at += length;
    }
  }

  #take(part: string, { noWait }: Method, bytes: Uint8Array, at: number, end: number): void {
    switch (part) {
      case 'q':
        this.queue = utf8(bytes, at + 1, end);
        break;
      case 'x':
        this.exchange = utf8(bytes, at + 1, end);
        break;
      case 'k':
        this.routingKey = utf8(bytes, at + 1, end);
        break;
      case 'c':
        this.consumerTag = utf8(bytes, at + 1, end);
        break;
      case 'v':
        this.virtualHost = utf8(bytes, at + 1, end);
        break;
      case 'T':
        this.replyText = utf8(bytes, at + 1, end);
        break;
      case 'M':
        this.mechanism = utf8(bytes, at + 1, end);
        break;
      case 'S':
        this.secret = latin1(bytes, at + 4, Math.min(end, at + 4 + LONG_MAXIMUM));
        break;
      case 'R':
        this.replyCode = u16(bytes, at);
        break;
      case 'I':
        this.blamed = u16(bytes, at) * 65_536 + u16(bytes, at + 2);
        break;
      case 'n':
        this.noWait = ((u8(bytes, at) >> noWait) & 1) === 1;
        break;
      case 'b':
        this.redelivered = (u8(bytes, at) & 1) === 1;
        break;
      default:
    }
  }

  #clear(): void {
    this.queue = '';
    this.exchange = '';
    this.routingKey = '';
    this.consumerTag = '';
    this.virtualHost = '';
    this.replyText = '';
    this.replyCode = 0;
    this.blamed = 0;
    this.mechanism = '';
    this.secret = '';
    this.noWait = false;
    this.redelivered = false;
  }
}

/** Bytes of an argument, or -1 where its length is not there. */
function lengthOf(part: string, bytes: Uint8Array, at: number, end: number): number {
  switch (part) {
    case '2':
    case 'R':
      return 2;
    case '4':
    case 'I':
      return 4;
    case '8':
    case 'd':
      return 8;
    case 'b':
    case 'n':
      return 1;
    case 'P':
    case 'S':
      return at + 4 <= end ? 4 + (i32(bytes, at) >>> 0) : -1;
    default:
      return at < end ? 1 + u8(bytes, at) : -1;
  }
}

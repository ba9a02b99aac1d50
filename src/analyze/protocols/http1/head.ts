import { TEXT_MAXIMUM } from '../../limits.ts';
import { maskField } from '../../record/secret-headers.ts';
import { latin1 } from '../../record/text.ts';
import { TextTable } from '../../record/text-table.ts';
import { endOfLine, isSimpleRequest, methodAt, versionAt, versionStart, withoutBlanks } from './start-line.ts';

/** Header fields kept of one message for those who look. */
const FIELDS_MAXIMUM = 100;

const CR = 13;
const LF = 10;
const TAB = 9;
const PROBE = 'kube-probe/';
const SPACE = 0x20;
const COLON = 0x3a;

/** Longer heads are not kept as they came. */
const KEPT_MAXIMUM = 2048;

/** What `Head.read` returns besides a place. */
export const HEAD = { more: -1, none: -2 } as const;

/** Mostly the same few targets are asked for over and over. */
const targets = new TextTable();

/** A message's head, as far as framing and the outputs need it. Reused: what is kept is copied out. */
export class Head {
  isRequest = false;
  method = '';
  /** As sent, secrets and all. */
  target = '';
  status = 0;
  reason = '';
  version = '';
  host = '';
  /** -1 without. */
  contentLength = -1;
  chunked = false;
  /** The client waits for a 100 before it sends the body (RFC 9110, section 10.1.1). */
  expectsContinue = false;
  upgrade = '';
  /** Its User-Agent is kubelet's, of probes. */
  probe = false;
  contentType = '';
  /** Its X-Request-Id, where not all of its fields are kept. As sent. */
  requestId = '';
  /** Its start line was not captured to its end: of a request, the target is a beginning only. */
  cutLine = false;
  /** Names in lower case; only when asked for. */
  fields: Record<string, string> | undefined;
  /** All of it as it came, each byte one character, where that is kept to be read late; else empty. */
  text = '';
  #lastName = '';
  /** Of the field last read, when framing needs it: its first letter, which a folded line continues; else 0. */
  #framing = 0;

  /**
   * Read a head, from its start line to its empty line.
   * @param detail keep all of it for those who look; else what framing and the summary need
   * @param secrets header fields are not masked
   * @param cut what is there is all there will be: the head's end was not captured
   * @returns where the head ends; HEAD.more when that has not come, HEAD.none when it is not a head of an HTTP/1 message
   */
  read(bytes: Uint8Array, start: number, end: number, detail: boolean, secrets: boolean, cut: boolean): number {
    this.contentLength = -1;
    this.chunked = false;
    this.expectsContinue = false;
    this.#framing = 0;
    this.upgrade = '';
    this.probe = false;
    this.host = '';
    this.contentType = '';
    this.requestId = '';
    this.fields = detail ? {} : undefined;
    this.text = '';
    this.#lastName = '';
    let lineEnd = endOfLine(bytes, start, end);
    if (lineEnd === end && !cut) return HEAD.more;
    this.cutLine = lineEnd === end;
    if (!this.#startLine(bytes, start, withoutBlanks(bytes, start, lineEnd), detail)) return HEAD.none;
    // HTTP/0.9 has no fields and no empty line.
    if (this.isRequest && this.version === '0.9') return Math.min(lineEnd + 1, end);
    let count = 0;
    let at = lineEnd + 1;
    for (;;) {
      lineEnd = endOfLine(bytes, at, end);
      if (lineEnd >= end) return cut ? end : HEAD.more;
      // The empty line.
      if (lineEnd === at || (lineEnd === at + 1 && bytes[at] === CR)) return lineEnd + 1;
      const first = (bytes[at] as number) | 0x20;
      if (this.fields !== undefined) {
        const last = withoutBlanks(bytes, at, lineEnd);
        if (count < FIELDS_MAXIMUM) {
          count += 1;
          this.#keep(this.fields, bytes, at, last, secrets);
        }
        this.#field(first, bytes, at, last);
      } else if (
        first === 0x63 ||
        first === 0x74 ||
        first === 0x75 ||
        first === 0x65 ||
        first === 0x78 ||
        this.#framing !== 0
      ) {
        this.#field(first, bytes, at, withoutBlanks(bytes, at, lineEnd));
      }
      at = lineEnd + 1;
    }
  }

  /**
   * Keeps the head that was read without detail to be read with it late (late-head.ts).
   * @returns whether it may be: what decides how a connection goes on, or how a body is read, is needed at once
   */
  keep(bytes: Uint8Array, start: number, stop: number): boolean {
    if (stop - start > KEPT_MAXIMUM || this.upgrade !== '' || (!this.isRequest && this.status >= 400)) return false;
    this.text = latin1(bytes, start, stop);
    return true;
  }

  #startLine(bytes: Uint8Array, start: number, end: number, detail: boolean): boolean {
    this.isRequest = !(bytes[start] === 0x48 && end - start >= 9 && versionAt(bytes, start, end));
    if (!this.isRequest) {
      this.version = bytes[start + 7] === 0x30 ? '1.0' : '1.1';
      let at = start + 8;
      while (at < end && bytes[at] === SPACE) at += 1;
      let status = 0;
      const digits = at;
      while (at < end && at < digits + 3 && isDigit(bytes[at] as number)) {
        status = status * 10 + (bytes[at] as number) - 0x30;
        at += 1;
      }
      if (at - digits !== 3) return false;
      this.status = status;
      this.reason = detail ? latin1(bytes, at + 1, Math.min(end, at + 1 + TEXT_MAXIMUM)) : '';
      return true;
    }
    const method = methodAt(bytes, start, end);
    if (method === undefined) return false;
    const targetAt = start + method.length + 1;
    let targetEnd = end;
    // From the end: a target may hold spaces that it should not.
    if (end - targetAt >= 9 && bytes[end - 9] === SPACE && versionAt(bytes, end - 8, end)) {
      targetEnd = end - 9;
      this.version = bytes[end - 1] === 0x30 ? '1.0' : '1.1';
    } else {
      targetEnd = versionStart(bytes, targetAt, end);
      this.version = '';
      if (targetEnd === end && !this.cutLine) {
        if (!isSimpleRequest(bytes, start, targetAt, end)) return false;
        this.version = '0.9';
      }
    }
    if (targetEnd < end) this.cutLine = false;
    this.method = method;
    const target = targets.text(bytes, targetAt, Math.min(targetEnd, targetAt + TEXT_MAXIMUM));
    this.target = this.cutLine ? `${target}…` : target;
    return true;
  }

  /** The fields that framing and every output need, distinguished by their first letter and length. */
  #field(first: number, bytes: Uint8Array, start: number, end: number): void {
    if (isFolded(bytes, start)) {
      // A line that begins with a blank continues the field before it (RFC 9112, section 5.2).
      if (this.#framing === 0x74) this.#transferEncoding(bytes, start, end);
      else if (this.#framing === 0x63 && this.contentLength < 0) this.contentLength = naturalAt(bytes, start, end);
      return;
    }
    this.#framing = 0;
    switch (first) {
      case 0x63:
        if (named(bytes, start, end, 'content-length')) {
          this.#framing = first;
          this.contentLength = naturalAt(bytes, start + 15, end);
        } else if (this.fields !== undefined && named(bytes, start, end, 'content-type')) {
          this.contentType = value(bytes, start + 13, end);
        }
        return;
      case 0x74:
        if (named(bytes, start, end, 'transfer-encoding')) {
          this.#framing = first;
          this.#transferEncoding(bytes, start + 18, end);
        }
        return;
      case 0x65:
        if (named(bytes, start, end, 'expect'))
          this.expectsContinue = value(bytes, start + 7, end).toLowerCase() === '100-continue';
        return;
      case 0x68:
        if (this.fields !== undefined && this.host === '' && named(bytes, start, end, 'host'))
          this.host = value(bytes, start + 5, end);
        return;
      case 0x75:
        if (named(bytes, start, end, 'upgrade')) this.upgrade = value(bytes, start + 8, end).toLowerCase();
        else if (named(bytes, start, end, 'user-agent')) this.probe = isProbe(bytes, start + 11, end);
        return;
      case 0x78:
        if (this.fields === undefined && named(bytes, start, end, 'x-request-id'))
          this.requestId = value(bytes, start + 13, end);
        return;
      default:
    }
  }

  /** The last coding named is the one outside (RFC 9112, section 6.1). */
  #transferEncoding(bytes: Uint8Array, start: number, end: number): void {
    const codings = value(bytes, start, end).toLowerCase();
    if (codings !== '') this.chunked = codings.endsWith('chunked');
  }

  #keep(fields: Record<string, string>, bytes: Uint8Array, start: number, end: number, secrets: boolean): void {
    const folded = isFolded(bytes, start);
    if (folded && this.#lastName === '') return;
    let colon = start;
    while (colon < end && bytes[colon] !== COLON) colon += 1;
    if (colon === end && !folded) return;
    const name = folded
      ? this.#lastName
      : latin1(bytes, start, Math.min(colon, start + TEXT_MAXIMUM))
          .trim()
          .toLowerCase();
    this.#lastName = name;
    const raw = value(bytes, folded ? start : colon + 1, end);
    const text = secrets ? raw : maskField(name, raw);
    // A name such as __proto__ is a name like others.
    const known = Object.hasOwn(fields, name) ? fields[name] : undefined;
    const joined = known === undefined ? text : `${known}${folded ? '' : ','} ${text}`.slice(0, TEXT_MAXIMUM);
    if (name !== '__proto__') fields[name] = joined;
    else Object.defineProperty(fields, name, { value: joined, enumerable: true, configurable: true, writable: true });
  }
}

function isFolded(bytes: Uint8Array, start: number): boolean {
  return bytes[start] === SPACE || bytes[start] === TAB;
}

/**
 * Where a head ends: behind its empty line; -1 when that has not come.
 * @param from where to begin looking; a line feed before it has been seen
 */
export function headEnd(bytes: Uint8Array, from: number, end: number): number {
  for (let at = from; at < end; at += 1) {
    if (bytes[at] !== LF) continue;
    if (bytes[at + 1] === LF && at + 1 < end) return at + 2;
    if (bytes[at + 1] === CR && bytes[at + 2] === LF && at + 2 < end) return at + 3;
  }
  return -1;
}

/** Whether the line is this field's: case is of no meaning. */
function named(bytes: Uint8Array, start: number, end: number, name: string): boolean {
  if (end - start <= name.length || bytes[start + name.length] !== COLON) return false;
  for (let index = 1; index < name.length; index += 1) {
    const byte = bytes[start + index] as number;
    if ((byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte) !== name.charCodeAt(index)) return false;
  }
  return true;
}

function value(bytes: Uint8Array, start: number, end: number): string {
  let at = start;
  while (at < end && (bytes[at] === SPACE || bytes[at] === 9)) at += 1;
  return latin1(bytes, at, Math.min(end, at + TEXT_MAXIMUM));
}

/** Whether a User-Agent is the one of kubelet's probes: `kube-probe/1.34`. */
function isProbe(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end && (bytes[at] === SPACE || bytes[at] === TAB)) at += 1;
  if (end - at < PROBE.length) return false;
  for (let index = 0; index < PROBE.length; index += 1) {
    if (bytes[at + index] !== PROBE.charCodeAt(index)) return false;
  }
  return true;
}

/** A decimal number; -1 when it is invalid. */
function naturalAt(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && (bytes[at] === SPACE || bytes[at] === 9)) at += 1;
  let number = 0;
  const first = at;
  while (at < end && isDigit(bytes[at] as number)) {
    number = number * 10 + ((bytes[at] as number) - 0x30);
    at += 1;
  }
  return at === first || number > Number.MAX_SAFE_INTEGER ? -1 : number;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

import { oneLine } from '../one-line.ts';
import { Document, i32le, type Tail, TYPE } from './bson.ts';
import { MORE_TO_COME, OP_MSG, OP_QUERY } from './message.ts';

/** What a request asks for. */
export interface Command {
  /** Its name; empty where that is not known. */
  readonly name: string;
  readonly database: string;
  readonly collection: string;
  /** Of an authentication. */
  readonly mechanism: string;
  /** It has no reply. */
  readonly oneWay: boolean;
}

/** How a request went. */
export interface Outcome {
  /** Of `ok`, as far as the reply was kept. */
  readonly ok: boolean | undefined;
  readonly code: number;
  readonly codeName: string;
  readonly error: string;
  /** Another reply to the same request follows. */
  readonly moreToCome: boolean;
}

/** Commands whose first value is the name of a user, a role or a parameter. */
const NO_COLLECTION = /user|role|parameter|^(logout|fsync|profile|killOp|explain)/i;

const document = new Document();
const inner = new Document();

export const UNKNOWN: Command = { name: '', database: '', collection: '', mechanism: '', oneWay: false };
export const NOTHING_KNOWN: Outcome = { ok: undefined, code: 0, codeName: '', error: '', moreToCome: false };

/** Where an operation's body begins, the message's header left out: that is what OP_COMPRESSED holds. */
export function readCommand(operation: number, bytes: Uint8Array, start: number, end: number, tail?: Tail): Command {
  if (operation === OP_MSG) {
    const at = bodyDocument(bytes, start, end);
    if (at < 0) return UNKNOWN;
    return commandOf(bytes, at, end, tail, '', (i32le(bytes, start) & MORE_TO_COME) !== 0);
  }
  if (operation !== OP_QUERY) return UNKNOWN;
  // Flags, the collection's full name, skip and return counts, the query.
  let at = start + 4;
  while (at < end && bytes[at] !== 0) at += 1;
  const full = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8', start + 4, at);
  const dot = full.indexOf('.');
  const database = dot < 0 ? full : full.slice(0, dot);
  const collection = dot < 0 ? '' : full.slice(dot + 1);
  if (collection !== '$cmd') return { name: 'query', database, collection, mechanism: '', oneWay: false };
  return commandOf(bytes, at + 9, end, tail, database, false);
}

/** Fields of a reply: of OP_MSG, and of OP_REPLY's first document. */
export function readOutcome(operation: number, bytes: Uint8Array, start: number, end: number, tail?: Tail): Outcome {
  if (operation !== OP_MSG) return outcomeOf(bytes, start + 20, end, tail, false);
  const at = bodyDocument(bytes, start, end);
  if (at < 0) return NOTHING_KNOWN;
  return outcomeOf(bytes, at, end, tail, (i32le(bytes, start) & MORE_TO_COME) !== 0);
}

/** @returns where the section of kind 0 has its document, or -1 */
function bodyDocument(bytes: Uint8Array, start: number, end: number): number {
  if (start + 9 > end) return -1;
  let at = start + 4;
  // Sequences of documents (kind 1) may come first.
  while (at + 5 <= end && bytes[at] === 1) {
    const size = i32le(bytes, at + 1);
    if (size < 4) return -1;
    at += 1 + size;
  }
  return at + 5 <= end && bytes[at] === 0 ? at + 1 : -1;
}

function commandOf(
  bytes: Uint8Array,
  at: number,
  end: number,
  tail: Tail | undefined,
  of: string,
  oneWay: boolean,
): Command {
  document.open(bytes, at, end, tail);
  let name = '';
  let database = of;
  let collection = '';
  let mechanism = '';
  if (document.next()) {
    ({ name } = document);
    if (!NO_COLLECTION.test(name)) collection = document.text();
    while (document.next()) {
      if (document.is('$db')) database = document.text();
      else if (document.is('collection') && name === 'getMore') collection = document.text();
      else if (document.is('mechanism')) mechanism = document.text();
    }
  }
  document.close();
  return { name, database, collection, mechanism, oneWay };
}

function outcomeOf(bytes: Uint8Array, at: number, end: number, tail: Tail | undefined, moreToCome: boolean): Outcome {
  document.open(bytes, at, end, tail);
  let ok: boolean | undefined;
  let code = 0;
  let codeName = '';
  let error = '';
  const takeError = () => {
    while (inner.next()) {
      if (inner.is('code')) code = inner.number() ?? 0;
      else if (inner.is('codeName')) codeName = inner.text();
      else if (inner.is('errmsg')) error = inner.text();
    }
  };
  while (document.next()) {
    if (document.is('ok')) {
      const value = document.number();
      if (value !== undefined) ok = value === 1;
    } else if (document.is('code')) code = document.number() ?? 0;
    else if (document.is('codeName')) codeName = document.text();
    else if (document.is('errmsg') || document.is('$err')) error = document.text();
    else if (document.is('writeErrors') && document.type === TYPE.array) {
      // The first of them; its place in the array is its name.
      inner.open(bytes, document.valueStart, Math.min(end, document.valueEnd));
      if (inner.next() && inner.type === TYPE.document) {
        inner.open(bytes, inner.valueStart, Math.min(end, inner.valueEnd));
        takeError();
      }
    } else if (document.is('writeConcernError') && document.type === TYPE.document) {
      inner.open(bytes, document.valueStart, Math.min(end, document.valueEnd));
      takeError();
    }
  }
  document.close();
  inner.close();
  return { ok, code, codeName, error, moreToCome };
}

/** `find shop.orders`, `ping`, `dropDatabase shop`. */
export function commandText({ name, database, collection }: Command): string {
  const where =
    collection === '' ? (database === 'admin' ? '' : database) : `${database}${database && '.'}${collection}`;
  return oneLine(where === '' ? name : `${name} ${where}`);
}

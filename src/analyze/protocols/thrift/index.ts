import { SIDE, type Side } from '../../record/event.ts';
import { maskText } from '../../record/secrets.ts';
import { NumberedConnection, type NumberedProtocol, type Said } from '../numbered-connection.ts';
import { oneLine } from '../one-line.ts';
import type { StreamContext, StreamProtocol } from '../protocol.ts';
import {
  messageStart,
  THRIFT_HEADER,
  THRIFT_SEEK,
  thriftBegins,
  thriftLength,
  thriftLikeness,
  UNFRAMED_MAXIMUM,
} from './message.ts';
import { isCompact, MESSAGE, ThriftWalker } from './walker.ts';

const ABOUT: NumberedProtocol = {
  protocol: 'thrift',
  title: 'Thrift',
  header: THRIFT_HEADER,
  headerMaximum: UNFRAMED_MAXIMUM,
  keep: UNFRAMED_MAXIMUM,
  lengthOf: thriftLength,
  seek: THRIFT_SEEK,
  least: THRIFT_HEADER,
  begins: thriftBegins,
};

const walker = new ThriftWalker();

function read(side: Side, bytes: Uint8Array, start: number, end: number, showSecrets: boolean): Said | undefined {
  const at = messageStart(bytes, start);
  const message = walker.message(bytes, at, end);
  if (message === undefined) return undefined;
  const { type, sequence, field } = message;
  const name = oneLine(message.name);
  const isAnswer = type === MESSAGE.reply || type === MESSAGE.exception;
  if (isAnswer !== (side === SIDE.server)) return undefined;
  const transport = `${at > start ? 'framed ' : ''}${isCompact(bytes, at) ? 'compact' : 'binary'}`;
  // The name is part of what pairs: clients that do not count send the same number in all.
  const key = `${sequence} ${name}`;
  if (type === MESSAGE.oneWay) return { kind: 'message', label: name, fields: { method: name, transport } };
  if (type === MESSAGE.call)
    return { kind: 'request', key, label: name, route: name, fields: { method: name, transport } };
  if (type === MESSAGE.exception) {
    const plain = oneLine(message.error);
    const error = showSecrets ? plain : maskText(plain);
    return {
      kind: 'answer',
      key,
      status: error === '' ? 'exception' : `exception ${error}`,
      failed: true,
      fields: { error: error || 'exception' },
    };
  }
  // Field 0 is the result, others are the exceptions that the method declares.
  if (field === undefined) return { kind: 'answer', key, status: '', failed: false, fields: {} };
  if (field <= 0) return { kind: 'answer', key, status: 'ok', failed: false, fields: {} };
  return { kind: 'answer', key, status: `exception ${field}`, failed: true, fields: { exception: field } };
}

/** Apache Thrift: the binary protocol (strict) and the compact one, in frames or without. */
export const thrift: StreamProtocol = {
  name: 'thrift',
  title: 'Thrift',
  ports: [9090],
  fields: {
    'thrift.method': {
      type: 'string',
      about: 'the method that is called; with its service before a colon where several are on one connection',
    },
    'thrift.transport': { type: 'string', about: '`framed binary`, `binary`, `framed compact` or `compact`' },
    'thrift.exception': { type: 'int', about: 'number of the declared exception that the method threw' },
    'thrift.error': {
      type: 'string',
      about: 'text of an exception of the protocol itself, such as an unknown method; secrets masked',
    },
  },
  probe: thriftLikeness,
  create: (context: StreamContext) =>
    new NumberedConnection(context, ABOUT, {
      read: (side, bytes, start, end) => read(side, bytes, start, end, context.showSecrets),
    }),
};

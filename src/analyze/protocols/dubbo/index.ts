import { i32, u8 } from '../../bytes.ts';
import { type Fields, SIDE, type Side } from '../../record/event.ts';
import { maskText } from '../../record/secrets.ts';
import { utf8 } from '../../record/text.ts';
import { NumberedConnection, type NumberedProtocol, type Said } from '../numbered-connection.ts';
import { oneLine } from '../one-line.ts';
import type { StreamContext, StreamProtocol } from '../protocol.ts';
import { Hessian } from './hessian.ts';
import { DUBBO_HEADER, dubboBegins, dubboLength, dubboLikeness, FLAG, SERIALIZATION, STATUSES } from './message.ts';

/** Bytes kept of a message: names come first. Attachments, which hold tokens, are behind the arguments and not read. */
const KEEP = 4096;

const ABOUT: NumberedProtocol = {
  protocol: 'dubbo',
  title: 'Dubbo',
  header: DUBBO_HEADER,
  keep: KEEP,
  lengthOf: dubboLength,
  seek: DUBBO_HEADER,
  begins: (_side, bytes, start) => dubboBegins(bytes, start),
};

/** Serializations of which names are read. */
const READ: ReadonlySet<number> = new Set(Object.values(SERIALIZATION));
const NAMES = ['dubbo', 'service', 'version', 'method'] as const;
const OK = 20;
/** What the body of a response begins with: an exception, a value, or nothing; from 3 on with attachments behind it. */
const RESULTS = ['exception', 'value', 'null', 'exception', 'value', 'null'] as const;

const DIGIT_0 = 0x30;

/** Whose method is in bytes that were not captured. */
const METHOD_NOT_SEEN = '(method not seen)';

/** What follows a header, as far as it was captured and kept. */
interface Body {
  readonly serialization: number;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** More of it follows. */
  readonly isCut: boolean;
}

function read(side: Side, bytes: Uint8Array, start: number, end: number, showSecrets: boolean): Said {
  const flags = u8(bytes, start + 2);
  const key = (BigInt(i32(bytes, start + 4)) << 32n) | BigInt(i32(bytes, start + 8) >>> 0);
  const body: Body = {
    serialization: flags & FLAG.serialization,
    bytes,
    start: start + DUBBO_HEADER,
    end,
    isCut: end < start + dubboLength(bytes, start),
  };
  if ((flags & FLAG.request) === 0) return answerOf(key, u8(bytes, start + 3), body, showSecrets);
  const isEvent = (flags & FLAG.event) !== 0;
  const { route, fields } = isEvent ? { route: '(heartbeat)', fields: {} } : calledOf(body);
  const isOneWay = (flags & FLAG.twoWay) === 0 || side === SIDE.server;
  return isOneWay ? { kind: 'message', label: route, fields } : { kind: 'request', key, label: route, route, fields };
}

/** Service and method of a call. */
function calledOf(body: Body): { readonly route: string; readonly fields: Fields } {
  const { serialization, isCut } = body;
  const texts = textsOf(body);
  const [, service, version, method] = NAMES.map((_, index) => {
    const text = texts[index];
    return text === undefined ? undefined : oneLine(text);
  });
  if (isCut && method === undefined && READ.has(serialization)) {
    return { route: METHOD_NOT_SEEN, fields: { service, version: version || undefined } };
  }
  if (service === undefined || method === undefined) {
    return { route: `(serialization ${serialization})`, fields: { serialization } };
  }
  return { route: `${service}.${method}`, fields: { service, method, version: version || undefined } };
}

function textsOf({ serialization, bytes, start, end }: Body): readonly (string | undefined)[] {
  if (serialization === SERIALIZATION.hessian2) {
    const hessian = new Hessian(bytes, start, end);
    return NAMES.map(() => hessian.string());
  }
  if (serialization !== SERIALIZATION.fastjson) return [];
  // A line of JSON each.
  return utf8(bytes, start, end)
    .split('\n', NAMES.length)
    .map((line) => /^"((?:[^"\\]|\\.)*)"\r?$/.exec(line)?.[1]);
}

function answerOf(
  key: bigint,
  status: number,
  { serialization, bytes, start, end, isCut }: Body,
  showSecrets: boolean,
): Said {
  const name = STATUSES.get(status) ?? `status ${status}`;
  const hessian = serialization === SERIALIZATION.hessian2 ? new Hessian(bytes, start, end) : undefined;
  if (status !== OK) {
    const plain = oneLine(hessian?.string() ?? '');
    const error = showSecrets ? plain : maskText(plain);
    return { kind: 'answer', key, status: name, failed: true, fields: { status: name, error: error || undefined } };
  }
  // Whether the method threw an exception is in the body's first byte.
  if (isCut && READ.has(serialization) && end <= start) {
    return { kind: 'answer', key, status: '', failed: false, fields: { status: name } };
  }
  // In JSON it is a digit.
  const isDigit = serialization === SERIALIZATION.fastjson && end > start;
  const result = RESULTS[isDigit ? u8(bytes, start) - DIGIT_0 : (hessian?.small() ?? -1)];
  if (result !== 'exception') return { kind: 'answer', key, status: name, failed: false, fields: { status: name } };
  const exception = oneLine(hessian?.className() ?? '');
  const shown = exception === '' ? 'exception' : (exception.split('.').at(-1) ?? exception);
  return {
    kind: 'answer',
    key,
    status: shown,
    failed: true,
    fields: { status: name, exception: exception || undefined },
  };
}

/** Dubbo's own protocol, version 2; Triple, that of version 3, is gRPC's. */
export const dubbo: StreamProtocol = {
  name: 'dubbo',
  title: 'Dubbo',
  ports: [20880],
  fields: {
    'dubbo.service': { type: 'string', about: 'the interface that is called' },
    'dubbo.method': { type: 'string', about: 'the method that is called' },
    'dubbo.version': { type: 'string', about: "the service's version" },
    'dubbo.status': { type: 'string', about: "the response's status, `OK`" },
    'dubbo.exception': { type: 'string', about: 'class of the exception that the method threw' },
    'dubbo.error': { type: 'string', about: 'text of a status that is not OK, secrets masked' },
    'dubbo.serialization': {
      type: 'int',
      about: 'number of a serialization that is not read, neither Hessian 2 nor JSON',
    },
  },
  probe: dubboLikeness,
  create: (context: StreamContext) =>
    new NumberedConnection(context, ABOUT, {
      read: (side, bytes, start, end) => read(side, bytes, start, end, context.showSecrets),
    }),
};

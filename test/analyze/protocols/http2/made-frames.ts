/** Frames of HTTP/2 (RFC 9113, section 4.1), built by their numbers. */
export const TYPE = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  windowUpdate: 8,
  continuation: 9,
} as const;
export const END_STREAM = 1;
export const END_HEADERS = 4;
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Fields written out (RFC 7541, section 6.2.2). */
export function literal(...fields: readonly string[]): Buffer {
  const parts: Buffer[] = [];
  for (const text of fields) parts.push(Buffer.of(text.length), Buffer.from(text));
  const all: Buffer[] = [];
  for (let at = 0; at < parts.length; at += 4) all.push(Buffer.of(0), ...parts.slice(at, at + 4));
  return Buffer.concat(all);
}

export function request(stream: number, path: string, ...more: readonly string[]): Buffer {
  const fields = literal(':method', 'GET', ':scheme', 'http', ':path', path, ...more);
  return frame(TYPE.headers, END_HEADERS | END_STREAM, stream, fields);
}

export function response(stream: number, status: number, body = 'hello', ...more: readonly string[]): Buffer {
  return Buffer.concat([
    frame(TYPE.headers, END_HEADERS, stream, literal(':status', String(status), ...more)),
    frame(TYPE.data, END_STREAM, stream, Buffer.from(body)),
  ]);
}

/** A connection's beginning, of both sides. */
export const OPENING = [
  [0, Buffer.concat([PREFACE, frame(TYPE.settings, 0, 0)])],
  [1, frame(TYPE.settings, 0, 0)],
] as const;

import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

/** How long a receiver may take, ms. */
const TIMEOUT_MS = 10_000;
/** Bytes of a response that are read. */
const RESPONSE_BYTES = 64 * 1024;

/** What a receiver answered. */
export interface Response {
  readonly status: number;
  /** From Retry-After, ms; undefined without it. */
  readonly retryAfterMs: number | undefined;
  readonly body: string;
}

/**
 * Post a gzipped OTLP/JSON message.
 * @throws Error where no response came
 */
export function post(
  url: URL,
  body: Uint8Array,
  { headers, ca }: { headers: Readonly<Record<string, string>>; ca: string | undefined },
): Promise<Response> {
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const options = {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'Content-Encoding': 'gzip',
      'Content-Length': body.length,
      'User-Agent': 'OTel-OTLP-Exporter-ksnoop',
      ...headers,
    },
    timeout: TIMEOUT_MS,
  };
  const send =
    url.protocol === 'https:'
      ? requestHttps(url, ca === undefined ? options : { ...options, ca })
      : requestHttp(url, options);
  send.on('response', (response) => {
    const chunks: Buffer[] = [];
    let size = 0;
    response.on('data', (chunk: Buffer) => {
      if (size < RESPONSE_BYTES) chunks.push(chunk);
      size += chunk.length;
    });
    response.on('error', reject);
    response.on('end', () => {
      const status = response.statusCode ?? 0;
      const retryAfterMs = retryAfter(response.headers['retry-after'], Date.now());
      resolve({ status, retryAfterMs, body: Buffer.concat(chunks).toString('utf8') });
    });
  });
  send.on('timeout', () => send.destroy(new Error(`no response within ${TIMEOUT_MS / 1000} s`)));
  send.on('error', reject);
  send.end(body);
  return promise;
}

/** Seconds or a date (RFC 9110, section 10.2.3), ms from now; undefined for anything else. */
export function retryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

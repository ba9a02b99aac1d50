import type { Fields } from '../../analyze/record/event.ts';
import type { EventRecord } from '../../analyze/record/record.ts';
import { sanitise } from '../sanitise.ts';
import { fieldsOf, type HeaderField, type HttpRequest, httpVersion } from './request.ts';

const NANOSECONDS_PER_MILLISECOND = 1e6;
/** Sizes and times that are not known (HAR 1.2). */
const UNKNOWN = -1;

/**
 * An exchange as an entry of an HTTP Archive 1.2 (w3c.github.io/web-performance/specs/HAR/Overview.html). What is not known is -1, or 0
 * where the format has no other value.
 */
export function harEntry(record: EventRecord, http: Fields, request: HttpRequest): object {
  const responseHeaders = fieldsOf(http.responseHeaders);
  const size = responseBody(request.method, http, responseHeaders);
  const isCoded = !['', 'identity'].includes(fieldValue(responseHeaders, 'content-encoding').trim().toLowerCase());
  const status = typeof http.status === 'number' ? http.status : 0;
  const send = milliseconds(record.requestTime);
  const wait = milliseconds(record.serverTime ?? record.ttfb);
  const receive = milliseconds(record.transferTime);
  const missing = record.incomplete === undefined ? {} : { comment: missingText(record.incomplete) };
  return {
    startedDateTime: record.time,
    time: record.latency === undefined ? send + wait + receive : milliseconds(record.latency),
    request: {
      method: request.method,
      url: encoded(request.url),
      httpVersion: request.version,
      cookies: [],
      headers: request.headers,
      queryString: queryOf(request.url),
      headersSize: UNKNOWN,
      bodySize: requestBody(request),
      ...postData(http, request),
    },
    response: {
      status,
      statusText: typeof http.reason === 'string' ? sanitise(http.reason) : '',
      httpVersion: status === 0 ? '' : httpVersion(http),
      cookies: [],
      headers: responseHeaders,
      content: {
        // Of a coded body the length of what it holds is not known.
        size: isCoded && size > 0 ? UNKNOWN : size,
        mimeType: mimeTypeOf(responseHeaders),
        ...contentText(http),
      },
      redirectURL: fieldValue(responseHeaders, 'location'),
      headersSize: UNKNOWN,
      bodySize: size,
      ...missing,
    },
    cache: {},
    timings: { blocked: UNKNOWN, dns: UNKNOWN, connect: UNKNOWN, send, wait, receive, ssl: UNKNOWN },
    ...(record.dst?.ip === undefined ? {} : { serverIPAddress: record.dst.ip }),
    connection: String(record.flow),
  };
}

/** With --body: what was sent. */
function postData({ requestBody: text, requestBodyNote: note }: Fields, { headers }: HttpRequest): object {
  if (typeof text !== 'string') return {};
  const comment = typeof note === 'string' ? { comment: note } : {};
  return { postData: { mimeType: mimeTypeOf(headers), params: [], text, ...comment } };
}

/** With --body: what was received. */
function contentText({ responseBody: text, responseBodyNote: note }: Fields): object {
  const comment = typeof note === 'string' ? { comment: note } : {};
  return { ...(typeof text === 'string' ? { text } : {}), ...comment };
}

/** The lines of an archive before and behind its entries. @param version of ksnoop */
export function harFrame(version: string): { readonly head: string; readonly end: string } {
  const creator = JSON.stringify({ name: 'ksnoop', version });
  return { head: `{"log":{"version":"1.2","creator":${creator},"entries":[`, end: ']}}' };
}

/** ns as ms; 0 where they are not known. */
function milliseconds(nanoseconds: number | undefined): number {
  return nanoseconds === undefined ? 0 : nanoseconds / NANOSECONDS_PER_MILLISECOND;
}

/** A request of HTTP/1 has a body only where a field announces it (RFC 9112, 6.3). */
function requestBody({ version, headers }: HttpRequest): number {
  const length = lengthOf(headers);
  const isChunked = headers.some(({ name }) => name.toLowerCase() === 'transfer-encoding');
  return length === UNKNOWN && !isChunked && version.startsWith('HTTP/1') ? 0 : length;
}

/** Bytes of a response's body, without its head; to a HEAD, and with 1xx, 204 and 304, comes none (RFC 9112, 6.3). */
function responseBody(method: string, { status }: Fields, headers: readonly HeaderField[]): number {
  if (typeof status !== 'number' || status === 0) return UNKNOWN;
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return 0;
  return headers.some(({ name }) => name.toLowerCase() === 'transfer-encoding') ? UNKNOWN : lengthOf(headers);
}

function missingText(incomplete: string): string {
  return incomplete === 'unknown' ? 'not proven to be the response to this request' : incomplete;
}

/** A URL in which everything that may not stand in one is percent-encoded (RFC 3986, 2); a `#` that was sent is none of a fragment. */
function encoded(url: string): string {
  return url
    .replace(/%(?![0-9A-Fa-f]{2})/g, '%25')
    .replace(/[^\w\-.~:/?[\]@!$&'()*+,;=%]/gu, (character) =>
      [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
    );
}

function fieldValue(headers: readonly HeaderField[], field: string): string {
  return headers.find(({ name }) => name.toLowerCase() === field)?.value ?? '';
}

function lengthOf(headers: readonly HeaderField[]): number {
  const value = fieldValue(headers, 'content-length');
  return /^\d{1,15}$/.test(value) ? Number(value) : UNKNOWN;
}

function mimeTypeOf(headers: readonly HeaderField[]): string {
  return headers.some(({ name }) => name.toLowerCase() === 'content-type')
    ? fieldValue(headers, 'content-type')
    : 'x-unknown';
}

/** Names and values of a query, decoded. */
function queryOf(url: string): HeaderField[] {
  const at = url.indexOf('?');
  if (at < 0) return [];
  return [...new URLSearchParams(url.slice(at + 1))].map(([name, value]) => ({ name, value }));
}

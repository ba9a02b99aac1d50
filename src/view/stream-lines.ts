import type { EventRecord } from '../analyze/record/record.ts';
import { bodyOf, httpOf, REQUEST_MARK, RESPONSE_MARK } from './body-lines.ts';
import { sanitise } from './sanitise.ts';

/** Bytes in a row of a dump. */
const ROW = 16;

/** An HTTP exchange as it was sent, as curl -v shows it: heads and bodies, decoded; sanitised. None for other protocols. */
export function messageLines(record: EventRecord): string[] {
  const http = httpOf(record);
  if (http === undefined || record.kind !== 'exchange') return [];
  const version = typeof http.version === 'string' ? ` HTTP/${http.version}` : '';
  const lines: string[] = [];
  if (http.method !== undefined) {
    lines.push(`${REQUEST_MARK}${sanitise(`${textOf(http.method)} ${textOf(http.path)}${version}`)}`);
    lines.push(...headerLines(http.requestHeaders, REQUEST_MARK), REQUEST_MARK.trimEnd());
    lines.push(...bodyOf(http.requestBody, http.requestBodyNote, REQUEST_MARK));
  }
  if (http.status !== undefined) {
    // The record has the version of the request; that of the response may be another.
    lines.push(`${RESPONSE_MARK}${sanitise(`${textOf(http.status)} ${textOf(http.reason)}`.trim())}`);
    lines.push(...headerLines(http.responseHeaders, RESPONSE_MARK), RESPONSE_MARK.trimEnd());
    lines.push(...bodyOf(http.responseBody, http.responseBodyNote, RESPONSE_MARK));
  }
  return lines;
}

function headerLines(headers: unknown, mark: string): string[] {
  if (typeof headers !== 'object' || headers === null) return [];
  return Object.entries(headers).map(([name, value]) => `${mark}${sanitise(`${name}: ${textOf(value)}`)}`);
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** Rows of position, hex and ASCII, as `hexdump -C` has them. @param position of the first byte in its side's stream */
export function hexRows(bytes: Uint8Array, start: number, end: number, position: number): string[] {
  const rows: string[] = [];
  for (let at = start; at < end; at += ROW) {
    let hex = '';
    let characters = '';
    for (let each = at; each < Math.min(at + ROW, end); each += 1) {
      const byte = bytes[each] as number;
      hex += `${each - at === ROW / 2 ? ' ' : ''} ${byte.toString(16).padStart(2, '0')}`;
      characters += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.';
    }
    const place = (position + at - start).toString(16).padStart(8, '0');
    rows.push(`${place} ${hex.padEnd(3 * ROW + 1)}  |${characters}|`);
  }
  return rows;
}

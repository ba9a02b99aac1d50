import type { EventRecord } from '../analyze/record/record.ts';
import { sanitise } from './sanitise.ts';

/** What stands before the lines of a request and of a response, as curl -v has them. */
export const REQUEST_MARK = '> ';
export const RESPONSE_MARK = '< ';

/** The bodies of an HTTP exchange (`--body`), a line each of their lines, sanitised; none where there are no bodies. */
export function bodyLines(record: EventRecord): string[] {
  const http = httpOf(record);
  if (http === undefined) return [];
  return [
    ...bodyOf(http.requestBody, http.requestBodyNote, REQUEST_MARK),
    ...bodyOf(http.responseBody, http.responseBodyNote, RESPONSE_MARK),
  ];
}

/** One body. @param mark what each line begins with */
export function bodyOf(text: unknown, note: unknown, mark: string): string[] {
  const lines: string[] = [];
  if (typeof text === 'string' && text !== '') {
    const whole = text.endsWith('\n') ? text.slice(0, -1) : text;
    for (const line of whole.split('\n')) lines.push(`${mark}${sanitise(line.replace(/\r$/, ''))}`);
  }
  if (typeof note === 'string') lines.push(`${mark}(body: ${sanitise(note)})`);
  return lines;
}

/** The members of a record that its protocol, HTTP, gave. */
export function httpOf(record: EventRecord): Readonly<Record<string, unknown>> | undefined {
  const http: unknown = Reflect.get(record, 'http');
  return isRecord(http) ? http : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

import type { Exchange } from '../../../src/analyze/record/event.ts';
import { analyseBytes } from '../../support/analysis.ts';
import { fileOf, passes, type SeenSegment } from './capture.ts';
import type { RanConnection } from './connection.ts';

/** The client's own capture, which has everything that the client sent or received. */
const PLACE = { at: 0, clock: 0 };

/** What is stated of each exchange, by its request's index, where the client's capture has every packet. */
export function statedWithoutLosses(connection: RanConnection): ReadonlyMap<number, Exchange> {
  const { conversation, segments } = connection;
  const seen = segments.flatMap((segment, id): SeenSegment[] =>
    segment.side === 1 && segment.reach !== undefined
      ? []
      : [{ segment, place: 0, time: passes(connection, segment, PLACE), id: id & 0xffff }],
  );
  const file = fileOf(
    connection,
    seen.toSorted((a, b) => a.time - b.time),
    [PLACE],
  );
  const stated = new Map<number, Exchange>();
  for (const { event } of analyseBytes(file).events) {
    if (event.kind !== 'exchange' || event.protocol !== conversation.protocol || event.incomplete !== undefined)
      continue;
    const request = conversation.requestOf(event);
    if (request !== undefined) stated.set(request, event);
  }
  return stated;
}

/**
 * What differs of an exchange that is stated as whole from what is stated of it without losses. A part of the status may be unknown
 * where headers are compressed (HPACK), and then whether it failed.
 */
export function difference(event: Exchange, whole: Exchange | undefined): string | undefined {
  if (whole === undefined) return undefined;
  const { label, route, status, failed, requestBytes, responseBytes } = event;
  if (label !== whole.label || route !== whole.route) return 'another label or route than without losses';
  // The server's words alone, without the code that says whether it failed; or the code alone, without its words.
  const isWords = status !== whole.status && whole.status.endsWith(status) && !failed;
  const isCode = whole.status.startsWith(`${status} `) && failed === whole.failed;
  const isPart = event.protocol === 'grpc' && (isWords || isCode);
  if (!isPart && (status !== whole.status || failed !== whole.failed)) return 'another status than without losses';
  if (requestBytes !== whole.requestBytes) return 'another size of the request than without losses';
  if (responseBytes !== whole.responseBytes) return 'another size of the answer than without losses';
  return undefined;
}

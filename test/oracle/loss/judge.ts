import type { Exchange, Message } from '../../../src/analyze/record/event.ts';
import { analyseBytes } from '../../support/analysis.ts';
import { type Place, passes, type SeenSegment } from './capture.ts';
import type { RanConnection, Range, SentSegment } from './connection.ts';
import { difference, statedWithoutLosses } from './lossless.ts';

/** What a run found: statements that the packets contradict, one sentence each; and how much was stated. */
export interface Verdict {
  readonly wrong: readonly string[];
  /** Exchanges all of whose packets were captured; of those, stated whole and right. */
  readonly whole: number;
  readonly stated: number;
}

/** What may be said of an exchange that was answered in full on a connection that nobody reset. */
const POSSIBLE: ReadonlySet<string> = new Set([
  'request not seen',
  'request not captured',
  'response not captured',
  'capture ended',
  'unknown',
]);

/** Over UDP no acknowledgement shows that an answer came which was not captured. */
const POSSIBLE_OVER_UDP: ReadonlySet<string> = new Set([...POSSIBLE, 'no response']);

/** The pair itself is marked as not proven. */
const UNPROVEN: ReadonlySet<string> = new Set(['unknown']);

/** Half of what a double loses of a time stamp. */
const CLOCK_NS = 2;

/** Hold what the analysis states of a capture against the connection as it was. */
export function judge(
  connection: RanConnection,
  seen: readonly SeenSegment[],
  places: readonly Place[],
  file: Buffer,
): Verdict {
  const { conversation } = connection;
  const wrong: string[] = [];
  const stated = new Set<number>();
  const asked = new Set<number>();
  const began = Math.min(...seen.map(({ time }) => time));
  const origin = seen[0]?.time ?? began;
  const heard = new Set<string>();
  const truth = statedWithoutLosses(connection);
  for (const { event } of analyseBytes(file).events) {
    if (event.kind === 'message' && event.protocol === conversation.protocol && conversation.messageOf !== undefined) {
      const problem = messageProblem(connection, seen, places, origin, event, heard);
      if (problem !== undefined) wrong.push(`${event.label.slice(0, 24)} ${event.bytes}: ${problem}`);
    }
    if (event.kind !== 'exchange' || !isOurs(connection, event)) continue;
    const request = conversation.requestOf(event);
    const answer = conversation.answerOf(event);
    const said = `${event.label.slice(0, 24)} = ${event.status.slice(0, 24)}`;
    const words = `${said} [${event.incomplete ?? ''}] request ${request} answer ${answer}`;
    const marked = event.incomplete !== undefined;
    const isSilence = conversation.transport === 'udp' && event.incomplete === 'no response';
    if (marked && !(conversation.transport === 'udp' ? POSSIBLE_OVER_UDP : POSSIBLE).has(event.incomplete))
      wrong.push(`${words}: it was answered in full`);
    if (request !== undefined) {
      if (asked.has(request)) wrong.push(`${words}: stated twice`);
      asked.add(request);
    }
    if (request !== undefined && answer !== undefined && request !== answer && !UNPROVEN.has(event.incomplete ?? '')) {
      wrong.push(`${words}: another request's answer`);
    }
    if (answer !== undefined && event.failed && !conversation.exchanges[answer]?.failed) {
      wrong.push(`${words}: failed, but it was not`);
    }
    // An error of which only the head was captured has a status, and failed.
    if (answer === undefined && event.failed && marked && event.status === '' && !isSilence)
      wrong.push(`${words}: failed, which nothing shows`);
    const problem = conversation.problemOf?.(event, request);
    if (problem !== undefined && !UNPROVEN.has(event.incomplete ?? '')) wrong.push(`${words}: ${problem}`);
    for (const problem of timeProblems(event)) wrong.push(`${words}: ${problem}`);
    // An answer that names none is its request's, as far as is stated.
    const isNameless = answer === undefined && conversation.problemOf !== undefined && event.status !== '';
    const differs = marked || request === undefined ? undefined : difference(event, truth.get(request));
    if (differs !== undefined) wrong.push(`${words}: ${differs}`);
    if (marked || request === undefined || (request !== answer && !isNameless)) continue;
    // A latency that nobody could measure is not stated: not wrong, but not whole either.
    if (event.responseTime === undefined || event.responseEnd === undefined) continue;
    const right = places.some((place, number) => timesAt(connection, seen, place, number, request, origin, event));
    if (right) stated.add(request);
    else wrong.push(`${words}: times that were not measured at one place`);
  }
  const whole = conversation.exchanges.filter((_, index) => wasSeen(connection, seen, index)).length;
  const pairs = conversation.exchanges.filter((_, index) => heard.has(`0 ${index}`) && heard.has(`1 ${index}`)).length;
  return { wrong, whole, stated: conversation.messageOf === undefined ? stated.size : pairs };
}

/** What is wrong with a message that is stated. @param heard those stated before, which it joins */
function messageProblem(
  connection: RanConnection,
  seen: readonly SeenSegment[],
  places: readonly Place[],
  origin: number,
  event: Message,
  heard: Set<string>,
): string | undefined {
  const { conversation } = connection;
  const index = conversation.messageOf?.(event);
  // A text of which not even its number was captured is nobody's in particular.
  if (index === undefined)
    return event.label.includes(' ') && !event.label.endsWith('…') ? 'a message that nobody sent' : undefined;
  const key = `${event.from} ${index}`;
  if (heard.has(key)) return 'stated twice';
  heard.add(key);
  if (conversation.exchanges[index]?.messages?.[event.from] !== event.bytes) return 'not as long as that';
  const range = (event.from === 0 ? connection.requests : connection.responses)[index] as Range;
  const carriers = seen.filter(({ segment }) => segment.side === event.from && covers(segment, range.end - 1));
  const isMeasured = places.some((place, number) =>
    isTimed(connection, seen, place, number, event.from, range.end - 1, event.time + origin),
  );
  // One that a place has missed is shown near those before it: messages have no latency that this would falsify.
  const isMissed =
    places.some((place, number) => isMissedAt(connection, carriers, place, number, event.time + origin)) ||
    (places.length > 1 && connection.hasNetwork);
  return isMeasured || isMissed ? undefined : 'a time of none of its packets';
}

/**
 * Whether a place has missed a message's last byte until it is stated: what brings it later was sent again.
 * @param carriers packets with that byte that were captured
 */
function isMissedAt(
  connection: RanConnection,
  carriers: readonly SeenSegment[],
  place: Place,
  number: number,
  stated: number,
): boolean {
  return carriers.every(
    ({ segment, place: at }) => at !== number || passes(connection, segment, place) > stated + CLOCK_NS,
  );
}

/** What comes before the first request is an exchange of its own: logins, settings. */
function isOurs({ conversation }: RanConnection, event: Exchange): boolean {
  const isOpening = /^connect\b/i.test(event.label) && conversation.requestOf(event) === undefined;
  return event.protocol === conversation.protocol && !isOpening;
}

function timeProblems(event: Exchange): string[] {
  const { time, requestEnd, responseTime, responseEnd } = event;
  const problems: string[] = [];
  if (requestEnd < time) problems.push('the request ends before it begins');
  if (responseTime !== undefined && responseTime < time) problems.push('the answer begins before the request');
  if (responseTime !== undefined && responseEnd !== undefined && responseEnd < responseTime) {
    problems.push('the answer ends before it begins');
  }
  return problems;
}

/** Whether the four times of a whole exchange are those of the packets that carried its ends, at one place. */
function timesAt(
  connection: RanConnection,
  seen: readonly SeenSegment[],
  place: Place,
  number: number,
  index: number,
  origin: number,
  event: Exchange,
): boolean {
  const times = [
    [0, connection.requests[index]?.start, event.time],
    [0, (connection.requests[index]?.end ?? 0) - 1, event.requestEnd],
    [1, connection.responses[index]?.start, event.responseTime],
    [1, (connection.responses[index]?.end ?? 0) - 1, event.responseEnd],
  ] as const;
  return times.every(([side, offset = 0, time = Number.NaN]) =>
    isTimed(connection, seen, place, number, side, offset, time + origin),
  );
}

/**
 * Whether a byte has this time at a place: that of a packet that carried it, or of one that brought, later, what the network
 * had lost before it.
 */
function isTimed(
  connection: RanConnection,
  seen: readonly SeenSegment[],
  place: Place,
  number: number,
  side: 0 | 1,
  offset: number,
  time: number,
): boolean {
  const own = seen.filter(({ segment, place: at }) => at === number && segment.side === side);
  const timeOf = (segment: SentSegment) => passes(connection, segment, place);
  const carriers = own.filter(({ segment }) => covers(segment, offset));
  const first = Math.min(...carriers.map(({ segment }) => timeOf(segment)));
  return own.some(({ segment }) => {
    const at = timeOf(segment);
    if (Math.abs(at - time) > CLOCK_NS) return false;
    return covers(segment, offset) || (connection.hasNetwork && segment.offset <= offset && at >= first);
  });
}

function covers(segment: SentSegment, offset: number | undefined): boolean {
  if (segment.isProbe === true) return false;
  return offset !== undefined && segment.offset <= offset && offset < segment.offset + segment.bytes.length;
}

/** Whether every packet of an exchange is in the capture, at one place. */
function wasSeen(connection: RanConnection, seen: readonly SeenSegment[], index: number): boolean {
  const ranges = [connection.requests[index], connection.responses[index]] as const;
  return ranges.every((range, side) => range !== undefined && isCovered(seen, side as 0 | 1, range));
}

function isCovered(seen: readonly SeenSegment[], side: 0 | 1, { start, end }: Range): boolean {
  let at = start;
  const own = seen
    .filter(({ segment, place }) => segment.side === side && place === 0 && segment.isProbe !== true)
    .toSorted((a, b) => a.segment.offset - b.segment.offset);
  for (const { segment } of own) {
    if (segment.offset <= at && segment.offset + segment.bytes.length > at) at = segment.offset + segment.bytes.length;
  }
  return at >= end;
}

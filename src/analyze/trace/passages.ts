import { TRACE_PASSAGES } from '../limits.ts';
import { DirectionMarks, type Segment } from './direction-marks.ts';
import type { PlaceTrail, Trail } from './trails.ts';
import { ownVantage, type Vantage } from './vantages.ts';

/**
 * A connection between two pods that may have carried a request whose content cannot be read there, as between two sidecars. Times
 * of its place at the client (`outer`) and at the server (`inner`), ns.
 */
export interface Passage {
  readonly flow: number;
  readonly clientHost: number;
  /** The last bytes that came to the server before it made its own request are the request's, or came behind them. */
  readonly outer: Vantage;
  readonly inner: Vantage;
  /** At the server, nothing passed between these bytes and the first ones that came back behind its program's response. */
  readonly isAlone: boolean;
  /** What the client sent and got there. */
  readonly marks: readonly [requests: DirectionMarks, responses: DirectionMarks];
}

/**
 * Whether the times of a passage are certainly those of a request and its response.
 * @param at the request as the client's sidecar took it
 * @param isOneByOne the connection carries one request after the other, and not several at once as HTTP/2 does
 */
export function isCertain({ isAlone, marks }: Passage, at: Vantage, isOneByOne: boolean): boolean {
  if (!isAlone) return false;
  if (isOneByOne) return true;
  const { requestStart, responseEnd } = at;
  if (requestStart === undefined || responseEnd === undefined) return false;
  // One segment each way in all of the request's time: those of other requests came before or after it.
  return marks.every((way) => way.countWithin(requestStart, responseEnd) === 1);
}

/**
 * The connections of a server's pod that may have carried what it then requested of its own program. Sequence numbers are the same at both
 * ends, so clocks need not agree.
 * @param trails connections to that host that were seen at several places
 * @param call the request to the program, at the server's place
 */
export function passagesOf(trails: Iterable<readonly [number, Trail]>, call: Vantage): Passage[] {
  const found: Passage[] = [];
  for (const [flow, trail] of trails) {
    const inner = trail.places.find(({ place }) => place >>> 16 === call.place >>> 16);
    if (inner === undefined) continue;
    const isServerFirst = trail.host === call.serverHost;
    for (const outer of trail.places) {
      if (outer.place >>> 16 === inner.place >>> 16) continue;
      const passage = passageOf(flow, trail, { outer, inner, call, requests: isServerFirst ? 1 : 0 });
      if (passage !== undefined) found.push(passage);
      if (found.length >= TRACE_PASSAGES) return found;
    }
  }
  return found;
}

interface Way {
  readonly outer: PlaceTrail;
  readonly inner: PlaceTrail;
  readonly call: Vantage;
  readonly requests: 0 | 1;
}

function passageOf(flow: number, trail: Trail, { outer, inner, call, requests }: Way): Passage | undefined {
  const responses = requests === 0 ? 1 : 0;
  const [innerRequests, innerResponses] = [inner.marks[requests], inner.marks[responses]];
  if (!(innerRequests instanceof DirectionMarks) || !(innerResponses instanceof DirectionMarks)) return undefined;
  if (call.requestStart === undefined || call.responseStart === undefined) return undefined;
  const [outerRequests, outerResponses] = [outer.marks[requests], outer.marks[responses]];
  if (!(outerRequests instanceof DirectionMarks) || !(outerResponses instanceof DirectionMarks)) return undefined;
  const request = innerRequests.lastUntil(call.requestStart);
  const response = innerResponses.firstSince(call.responseStart);
  if (request === undefined || response === undefined) return undefined;
  const requestOut = outerRequests.allSeen(request.first, request.last);
  const responseIn = outerResponses.firstSeen(response.first);
  if (requestOut === undefined || responseIn === undefined || responseIn < requestOut) return undefined;
  const clientHost = requests === 0 ? trail.host : trail.peer;
  const ends = { clientHost, serverHost: call.serverHost, serverPort: call.serverPort };
  const times = (at: PlaceTrail, start: number, end: number): Vantage => ({
    ...ownVantage({ place: at.place, interfaceId: at.interfaceId, ...ends }),
    requestStart: start,
    requestEnd: start,
    responseStart: end,
    responseEnd: end,
  });
  return {
    flow,
    clientHost,
    outer: times(outer, requestOut, responseIn),
    inner: times(inner, request.time, response.time),
    isAlone: isAlone(request, response, innerRequests, innerResponses),
    marks: [outerRequests, outerResponses],
  };
}

/** Nothing passed between a request's last bytes and the response's first. */
function isAlone(request: Segment, response: Segment, requests: DirectionMarks, responses: DirectionMarks): boolean {
  const nextRequest = requests.firstBehind(request.last);
  const before = responses.lastBefore(response.first);
  return (
    (nextRequest === undefined || nextRequest.time > response.time) &&
    (before === undefined || before.time < request.time)
  );
}

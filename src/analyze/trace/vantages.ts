import { COPY_NS } from '../limits.ts';
import type { Exchange } from '../record/event.ts';
import type { PlaceTrail, Trail } from './trails.ts';

/** One leg of a connection: its flow's ends, and what was seen of it. */
export interface Leg {
  /** The flow's number. */
  readonly id: number;
  readonly clientHost: number;
  readonly clientPort: number;
  readonly serverHost: number;
  readonly serverPort: number;
  readonly trail: Trail;
}

/** An exchange at one place of capture. Times: ns since the first packet, by the clock of that place; undefined where that byte was not seen. */
export interface Vantage {
  readonly place: number;
  readonly interfaceId: number;
  /** As they are at this place, before or behind NAT. */
  readonly clientHost: number;
  readonly serverHost: number;
  readonly serverPort: number;
  /** Of the request's packets; -1 where it is not known. */
  readonly hopLimit: number;
  /** First and last byte of the request, first and last of the response. */
  readonly requestStart: number | undefined;
  readonly requestEnd: number | undefined;
  readonly responseStart: number | undefined;
  readonly responseEnd: number | undefined;
  /** Segments of the request and of the response that were seen again here, and how long after the first time. */
  readonly requestAgain: { readonly count: number; readonly after: number };
  readonly responseAgain: { readonly count: number; readonly after: number };
  /** Whether bytes of the connection up to the exchange's last ones are missing here that later packets show to have passed. */
  readonly hasHoles: boolean;
}

const NONE = { count: 0, after: 0 };

/**
 * Numbers of an exchange's first and last bytes, or datagrams, as Marks counts them, int32; undefined where they cannot be told; and the
 * place that counted: NO_PLACE where its request and its response have the times of two.
 */
export interface ExchangeBytes {
  readonly place: number;
  readonly requestFirst: number | undefined;
  readonly requestLast: number;
  readonly responseFirst: number | undefined;
  readonly responseLast: number | undefined;
}

/**
 * Which bytes an exchange is: those that came, at the place whose packets counted, at exactly its times. To be asked soon after
 * its end, for only the latest segments are remembered.
 */
export function bytesOf(exchange: Exchange, leg: Leg): ExchangeBytes | undefined {
  const direction = directionOf(leg);
  const { time, requestEnd, responseTime, responseEnd } = exchange;
  let partly: ExchangeBytes | undefined;
  for (const { place, marks } of leg.trail.places) {
    const requests = marks[direction];
    const responses = marks[direction === 0 ? 1 : 0];
    const requestLast = requests.lastAt(requestEnd);
    if (requestLast === undefined) continue;
    const requestFirst = requests.firstAt(time);
    const responseFirst = responseTime === undefined ? undefined : responses.firstAt(responseTime);
    const responseLast = responseEnd === undefined ? undefined : responses.lastAt(responseEnd);
    const bytes = { place, requestFirst, requestLast, responseFirst, responseLast };
    const isWhole =
      requestFirst !== undefined &&
      (responseFirst !== undefined || responseTime === undefined) &&
      (responseLast !== undefined || responseEnd === undefined);
    // Another place may have had a packet at one of the times, by its own clock.
    if (isWhole) return bytes;
    partly ??= bytes;
  }
  return partly === undefined ? undefined : answeredElsewhere(exchange, leg, partly);
}

/** No place of capture has this number. */
const NO_PLACE = 0;

/**
 * Where none of the places counted, the one that was first with the request counted for that, and another one, of the same clock, for
 * the response.
 * @returns with the response's bytes, where all places that had packets at its times had the same ones
 */
function answeredElsewhere({ responseTime, responseEnd }: Exchange, leg: Leg, bytes: ExchangeBytes): ExchangeBytes {
  if (responseTime === undefined || responseEnd === undefined) return bytes;
  if (bytes.requestFirst === undefined || bytes.responseFirst !== undefined || bytes.responseLast !== undefined) {
    return bytes;
  }
  const direction = directionOf(leg) === 0 ? 1 : 0;
  let found: ExchangeBytes | undefined;
  for (const { marks } of leg.trail.places) {
    const responseFirst = marks[direction].firstAt(responseTime);
    const responseLast = marks[direction].lastAt(responseEnd);
    if (responseFirst === undefined || responseLast === undefined) continue;
    found ??= { ...bytes, place: NO_PLACE, responseFirst, responseLast };
    if (found.responseFirst !== responseFirst || found.responseLast !== responseLast) return bytes;
  }
  return found ?? bytes;
}

/** An exchange at every place that saw it, in no order. At the place that counted its times are the exchange's. */
export function vantagesOf(exchange: Exchange, bytes: ExchangeBytes, legs: readonly Leg[]): Vantage[] {
  const found: Vantage[] = [];
  for (const leg of legs) {
    for (const at of leg.trail.places) {
      const isCounted = leg === legs[0] && at.place === bytes.place;
      const vantage = vantageAt(at, leg, bytes, isCounted ? exchange : undefined);
      if (isCounted) found.push(vantage);
      else if (vantage.requestEnd !== undefined || vantage.responseStart !== undefined) found.push(vantage);
    }
  }
  return found;
}

/** From the request's last byte to the response's first at a place, ns: what is behind it took so long, by its own clock. */
export function turn({ requestEnd, responseStart }: Vantage): number | undefined {
  return requestEnd !== undefined && responseStart !== undefined && responseStart >= requestEnd
    ? responseStart - requestEnd
    : undefined;
}

/** The place nearest to the server: of those that saw request and response the one with the least time behind it. */
export function innermost(vantages: readonly Vantage[]): Vantage | undefined {
  let found: Vantage | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const vantage of vantages) {
    const own = turn(vantage);
    if (own === undefined || own >= least) continue;
    found = vantage;
    least = own;
  }
  return found;
}

/** Whether all of an exchange's times are known at a place. */
export function isWhole({ requestStart, requestEnd, responseStart, responseEnd }: Vantage): boolean {
  return (
    requestStart !== undefined && requestEnd !== undefined && responseStart !== undefined && responseEnd !== undefined
  );
}

/** Where and between whom something was seen. */
type Seen = Pick<Vantage, 'place' | 'interfaceId' | 'clientHost' | 'serverHost' | 'serverPort'>;

/** A place of which nothing else is known. */
export function ownVantage(seen: Seen): Vantage {
  return {
    ...seen,
    hopLimit: -1,
    requestStart: undefined,
    requestEnd: undefined,
    responseStart: undefined,
    responseEnd: undefined,
    hasHoles: false,
    requestAgain: NONE,
    responseAgain: NONE,
  };
}

/** What was seen before stays: it may be forgotten by now. */
export function merged(before: readonly Vantage[], now: readonly Vantage[]): Vantage[] {
  const both = now.map((vantage) => {
    const old = before.find(({ place, serverHost }) => place === vantage.place && serverHost === vantage.serverHost);
    if (old === undefined) return vantage;
    return {
      ...vantage,
      requestStart: old.requestStart ?? vantage.requestStart,
      requestEnd: old.requestEnd ?? vantage.requestEnd,
      responseStart: old.responseStart ?? vantage.responseStart,
      responseEnd: old.responseEnd ?? vantage.responseEnd,
      requestAgain: most(old.requestAgain, vantage.requestAgain),
      responseAgain: most(old.responseAgain, vantage.responseAgain),
      // A hole that has been filled since was loss on the way; one that came since is of later requests.
      hasHoles: vantage.hasHoles && (old.hasHoles || !isWhole(old)),
    };
  });
  const gone = before.filter(
    (old) => !now.some(({ place, serverHost }) => place === old.place && serverHost === old.serverHost),
  );
  return [...both, ...gone];
}

function most(one: Vantage['requestAgain'], other: Vantage['requestAgain']): Vantage['requestAgain'] {
  return one.count > other.count ? one : other;
}

/** The times of an exchange as a place that counted has them. */
export function timesOf(exchange: Exchange) {
  return {
    requestStart: exchange.time,
    requestEnd: exchange.requestEnd,
    responseStart: exchange.responseTime,
    responseEnd: exchange.responseEnd,
  };
}

function directionOf({ trail, clientHost, clientPort }: Leg): 0 | 1 {
  return trail.host === clientHost && trail.port === clientPort ? 0 : 1;
}

/** @param counted where the place is the one that counted: its times are the exchange's */
function vantageAt(at: PlaceTrail, leg: Leg, bytes: ExchangeBytes, counted: Exchange | undefined): Vantage {
  const direction = directionOf(leg);
  const requests = at.marks[direction];
  const responses = at.marks[direction === 0 ? 1 : 0];
  const { requestFirst, requestLast, responseFirst, responseLast } = bytes;
  const responseEnd =
    responseLast === undefined ? undefined : responses.allSeen(responseFirst ?? responseLast, responseLast);
  const answered = responseEnd ?? Number.POSITIVE_INFINITY;
  return {
    place: at.place,
    interfaceId: at.interfaceId,
    clientHost: leg.clientHost,
    serverHost: leg.serverHost,
    serverPort: leg.serverPort,
    hopLimit: at.hopLimits[direction],
    requestStart: counted?.time ?? (requestFirst === undefined ? undefined : requests.firstSeen(requestFirst)),
    requestEnd: counted?.requestEnd ?? requests.allSeen(requestFirst ?? requestLast, requestLast),
    responseStart:
      counted !== undefined
        ? counted.responseTime
        : responseFirst === undefined
          ? undefined
          : responses.firstSeen(responseFirst),
    responseEnd: counted !== undefined ? counted.responseEnd : responseEnd,
    // Holes behind the exchange are of later ones, and may be filled yet.
    hasHoles:
      requests.hasHolesUpTo(requestLast) || (responseLast !== undefined && responses.hasHolesUpTo(responseLast)),
    requestAgain:
      requestFirst === undefined ? NONE : requests.repeatsWithin(requestFirst, requestLast, COPY_NS, answered),
    responseAgain:
      responseFirst === undefined || responseLast === undefined
        ? NONE
        : responses.repeatsWithin(responseFirst, responseLast, COPY_NS, Number.POSITIVE_INFINITY),
  };
}

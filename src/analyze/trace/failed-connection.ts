import type { FlowIdentity } from '../flow/flow-facts.ts';
import type { Exchange } from '../record/event.ts';
import { type Call, type ConnectOutcome, newCall } from './call.ts';
import type { Opening, OpeningPlace } from './openings.ts';
import type { PlaceOrder } from './place-order.ts';
import type { Vantage } from './vantages.ts';

/** A connection is taken to be unanswered from so many SYNs on. */
const LEAST_SYNS = 2;

/**
 * A connection that has had its time to come up and did not, as a call that failed.
 * @param opening of whose flows no data was seen
 * @returns undefined where it may have come up
 */
export function failedConnection(opening: Opening, order: PlaceOrder): Call | undefined {
  const { places, rejection, isLikely } = opening;
  const [first] = places;
  if (first === undefined) return undefined;
  const all = order.ordered(places.map(vantageOf), first.firstSyn);
  // A bridge floods a first SYN to pods that are not on the way.
  const onTheWay = all.filter((at) => !order.isBystander(at, first.firstSyn));
  const vantages = onTheWay.length > 0 ? onTheWay : all;
  const outer = placeWith(places, vantages[0]);
  const outcome = outcomeOf(opening, outer);
  if (outcome === undefined) return undefined;
  const { flow: id, clientHost, clientPort, serverHost, serverPort, interfaceId, syns, firstSyn, lastSyn } = outer;
  const flow: FlowIdentity = { id, transport: 'tcp', clientHost, clientPort, serverHost, serverPort, interfaceId };
  const isAnswered = outcome === 'refused' && outer.answer === 'RST';
  const exchange: Exchange = {
    kind: 'exchange',
    protocol: 'tcp',
    label: 'connect',
    route: 'connect',
    status: outcome,
    failed: true,
    time: firstSyn,
    requestEnd: firstSyn,
    responseTime: isAnswered ? outer.answerTime : undefined,
    responseEnd: isAnswered ? outer.answerTime : undefined,
    requestBytes: 0,
    responseBytes: 0,
    fields: {},
  };
  const answering = vantages.filter((vantage) => placeWith(places, vantage).answer !== undefined);
  const lastSeen = vantages.at(-1) as Vantage;
  const connect = {
    outcome,
    syns,
    span: lastSyn - firstSyn,
    lastSeen,
    tunnel: places.find(({ tunnel, interfaceId }) => tunnel !== undefined && interfaceId === lastSeen.interfaceId)
      ?.tunnel,
    answerSeen: outcome === 'refused' ? answering.at(-1) : answering[0],
    rejection,
    confidence: isLikely ? 'likely' : 'proven',
  } as const;
  return newCall(exchange, flow, vantages, connect);
}

/** What became of a connection. @param outer as the place nearest to the client saw it @returns undefined where it may have come up */
function outcomeOf({ places, rejection }: Opening, outer: OpeningPlace): ConnectOutcome | undefined {
  if (rejection !== undefined) return 'rejected';
  const isAnswered = places.some(({ answer }) => answer === 'SYN-ACK');
  if (!isAnswered && places.some(({ answer }) => answer === 'RST')) return 'refused';
  // One SYN alone may have been answered behind the end of the capture, or where nothing was captured.
  if (outer.syns < LEAST_SYNS || outer.answer !== undefined) return undefined;
  return isAnswered ? 'answer not delivered' : 'unanswered';
}

function placeWith(places: readonly OpeningPlace[], at: Vantage | undefined): OpeningPlace {
  const found = places.find(({ place, serverHost }) => place === at?.place && serverHost === at.serverHost);
  return found ?? (places[0] as OpeningPlace);
}

function vantageOf(at: OpeningPlace): Vantage {
  const { place, interfaceId, clientHost, serverHost, serverPort, hopLimit, syns, firstSyn, lastSyn } = at;
  const answered = at.answer === undefined ? undefined : at.answerTime;
  return {
    place,
    interfaceId,
    clientHost,
    serverHost,
    serverPort,
    hopLimit,
    requestStart: firstSyn,
    requestEnd: firstSyn,
    responseStart: answered,
    responseEnd: answered,
    hasHoles: false,
    requestAgain: { count: syns - 1, after: lastSyn - firstSyn },
    responseAgain: { count: Math.max(0, at.synAcks - 1), after: 0 },
  };
}

import type {
  ConnectionWaits,
  DirectionFacts,
  DirectionSighting,
  DirectionWaits,
  FlowFacts,
  FlowIdentity,
  IdleFailure,
  OtherLeg,
  RttFacts,
  Sighting,
  StuckSegment,
  TcpDirectionFacts,
  TcpFacts,
} from '../flow/flow-facts.ts';
import type { Redirect } from '../flow/redirects.ts';
import { PLACES_PER_FLOW } from '../limits.ts';
import {
  amount,
  flag,
  host,
  list,
  maybe,
  members,
  moment,
  numeric,
  oneOf,
  port,
  type Shape,
  tuple,
  WrongShape,
  words,
} from './shape.ts';

/** Characters of a protocol's name. */
const NAME_MAXIMUM = 64;

const TRANSPORT = oneOf('tcp', 'udp', 'sctp', 'icmp', 'icmpv6', 'ip');
const END = maybe(oneOf('client', 'server'));

const direction = members<DirectionFacts>({ packets: amount, bytes: amount, payload: amount });

const health = members<TcpDirectionFacts>({
  retransmissions: amount,
  fastRetransmissions: amount,
  timeoutRetransmissions: amount,
  spuriousRetransmissions: amount,
  outOfOrder: amount,
  duplicateAcks: amount,
  keepAlives: amount,
  zeroWindows: amount,
  windowFull: amount,
  lost: amount,
});

const roundTrips = maybe(members<RttFacts>({ minimum: amount, mean: amount, maximum: amount, samples: amount }));

const tcp = members<TcpFacts>({
  state: oneOf('opening', 'open', 'half-closed', 'closed', 'reset', 'refused', 'unanswered'),
  midstream: flag,
  closedBy: END,
  resetBy: END,
  handshakeRtt: maybe(numeric),
  setup: maybe(numeric),
  syns: amount,
  synSpan: maybe(numeric),
  rtt: members({ client: roundTrips, server: roundTrips }),
  mss: tuple(maybe(amount), maybe(amount)),
  windowScale: tuple(maybe(amount), maybe(amount)),
  sack: flag,
  client: health,
  server: health,
});

const stuck = members<StuckSegment>({
  bytes: amount,
  repeats: amount,
  first: moment,
  last: moment,
  othersArrive: flag,
  acknowledged: maybe(amount),
});

const waiting = maybe(
  members<DirectionWaits>({
    stalls: amount,
    stalled: amount,
    longestStall: maybe(tuple(moment, moment)),
    nagle: amount,
    windowClosed: amount,
    longestWindowClosed: amount,
    stuck: maybe(stuck),
  }),
);

const waits = members<ConnectionWaits>({
  portReused: flag,
  synAckAgain: flag,
  client: waiting,
  server: waiting,
  idleSurvived: maybe(amount),
  idleFailed: maybe(
    members<IdleFailure>({
      idle: amount,
      end: moment,
      by: oneOf('client', 'server'),
      how: oneOf('reset', 'no answer'),
    }),
  ),
});

const seen = members<DirectionSighting>({
  packets: amount,
  bytes: amount,
  first: maybe(moment),
  last: maybe(moment),
  retransmissions: amount,
  lost: amount,
});

const anyInterface: Shape = (value, by) => {
  if (typeof value !== 'number') throw new WrongShape('no interface');
  return by.interfaceId(value);
};

const sighting = members<Sighting>({ interfaceId: anyInterface, client: seen, server: seen });

/** What was seen at an interface that the reader does not know cannot be shown. */
const knownSighting: Shape = (value, by) => {
  const made = sighting(value, by) as { readonly interfaceId: number | undefined };
  return made.interfaceId === undefined ? undefined : made;
};

/** What is said apart from the rest: numbers of the flow, its interface and its other leg, and of how many connections it is one. */
type Numbered = 'id' | 'interfaceId' | 'sameAs' | 'sample';

const IDENTITY = {
  continued: maybe(flag),
  transport: TRANSPORT,
  clientHost: host,
  serverHost: host,
  clientPort: port,
  serverPort: port,
  redirect: maybe(members<Redirect>({ host, port })),
};

/** FlowIdentity without the numbers of the flow and its interface, and without its other leg. */
export const identityShape = members<Omit<FlowIdentity, Numbered>>(IDENTITY);

export const legShape = members<OtherLeg>({ id: amount, serverHost: host, unopened: maybe(flag) });

/** FlowFacts without the numbers of the flow and its interface, and without its other leg. */
export const factsShape = members<Omit<FlowFacts, Numbered>>({
  ...IDENTITY,
  first: moment,
  last: moment,
  client: direction,
  server: direction,
  protocol: maybe(words(NAME_MAXIMUM)),
  tcp: maybe(tcp),
  waits: maybe(waits),
  sightings: maybe(list(knownSighting, PLACES_PER_FLOW)),
});

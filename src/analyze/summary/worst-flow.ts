import { invalid, type JsonObject, objectAt, requireObject } from '../../wire/guard.ts';
import type {
  DirectionFacts,
  DirectionSighting,
  RttFacts,
  Sighting,
  TcpDirectionFacts,
  TcpFacts,
  Transport,
} from '../flow/flow-facts.ts';
import { RECORD_VERSION } from '../record/fields.ts';
import type { PeerRecord } from '../record/record.ts';
import type { WorstFlow } from './report.ts';

/** Characters of a name in a record. */
const TEXT = 1024;
/** Places of capture of one flow. */
const SIGHTINGS = 1024;

const STATES: readonly TcpFacts['state'][] = [
  'opening',
  'open',
  'half-closed',
  'closed',
  'reset',
  'refused',
  'unanswered',
];
const SIDES = ['client', 'server'] as const;
const TRANSPORTS: readonly Transport[] = ['tcp', 'udp', 'sctp', 'icmp', 'icmpv6', 'ip'];

/**
 * The record of a flow from outside, without its number.
 * @param where for messages
 * @throws KsnoopError INVALID_MESSAGE
 */
export function worstFlow(value: unknown, where: string): WorstFlow {
  const record = requireObject(value, where);
  const time = text(record.time, where);
  if (!/^\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/.test(time)) throw invalid(where, 'has no usable time of a flow');
  return {
    v: RECORD_VERSION,
    time,
    kind: 'flow',
    protocol: text(record.protocol, where),
    src: record.src === undefined ? undefined : peer(record.src, where),
    dst: record.dst === undefined ? undefined : peer(record.dst, where),
    flow: undefined,
    sameAs: undefined,
    interface: optional(record.interface, where),
    redirectedTo: optional(record.redirectedTo, where),
    transport: oneOf(record.transport, TRANSPORTS, where),
    duration: number(record.duration, where),
    client: direction(objectAt(record, 'client'), where),
    server: direction(objectAt(record, 'server'), where),
    tcp: record.tcp === undefined ? undefined : tcp(requireObject(record.tcp, where), where),
    sightings: record.sightings === undefined ? undefined : sightings(record.sightings, where),
    sample: record.sample === undefined ? undefined : number(record.sample, where),
  };
}

function peer(value: unknown, where: string): PeerRecord {
  const parts = requireObject(value, where);
  return {
    ip: optional(parts.ip, where),
    port: parts.port === undefined ? undefined : number(parts.port, where),
    mac: optional(parts.mac, where),
    pod: optional(parts.pod, where),
    service: optional(parts.service, where),
    namespace: optional(parts.namespace, where),
    node: optional(parts.node, where),
    name: optional(parts.name, where),
    cluster: optional(parts.cluster, where),
  };
}

function direction({ packets, bytes, payload }: JsonObject, where: string): DirectionFacts {
  return { packets: number(packets, where), bytes: number(bytes, where), payload: number(payload, where) };
}

function tcp(facts: JsonObject, where: string): TcpFacts {
  const rtt = objectAt(facts, 'rtt');
  const side = (value: unknown) => (value === undefined ? undefined : oneOf(value, SIDES, where));
  return {
    state: oneOf(facts.state, STATES, where),
    midstream: facts.midstream === true,
    closedBy: side(facts.closedBy),
    resetBy: side(facts.resetBy),
    handshakeRtt: optionalNumber(facts.handshakeRtt, where),
    setup: optionalNumber(facts.setup, where),
    syns: number(facts.syns, where),
    synSpan: optionalNumber(facts.synSpan, where),
    rtt: { client: times(rtt.client, where), server: times(rtt.server, where) },
    mss: pair(facts.mss, where),
    windowScale: pair(facts.windowScale, where),
    sack: facts.sack === true,
    client: health(objectAt(facts, 'client'), where),
    server: health(objectAt(facts, 'server'), where),
  };
}

function times(value: unknown, where: string): RttFacts | undefined {
  if (value === undefined) return undefined;
  const { minimum, mean, maximum, samples } = requireObject(value, where);
  return {
    minimum: number(minimum, where),
    mean: number(mean, where),
    maximum: number(maximum, where),
    samples: number(samples, where),
  };
}

function pair(value: unknown, where: string): readonly [number | undefined, number | undefined] {
  const [client, server] = Array.isArray(value) ? (value as readonly unknown[]) : [];
  const one = (part: unknown) => (part === null || part === undefined ? undefined : number(part, where));
  return [one(client), one(server)];
}

function health(facts: JsonObject, where: string): TcpDirectionFacts {
  return {
    retransmissions: number(facts.retransmissions, where),
    fastRetransmissions: number(facts.fastRetransmissions, where),
    timeoutRetransmissions: number(facts.timeoutRetransmissions, where),
    spuriousRetransmissions: number(facts.spuriousRetransmissions, where),
    outOfOrder: number(facts.outOfOrder, where),
    duplicateAcks: number(facts.duplicateAcks, where),
    keepAlives: number(facts.keepAlives, where),
    zeroWindows: number(facts.zeroWindows, where),
    windowFull: number(facts.windowFull, where),
    lost: number(facts.lost, where),
  };
}

function sightings(value: unknown, where: string): readonly Sighting[] {
  if (!Array.isArray(value) || value.length > SIGHTINGS) throw invalid(where, 'has no usable places of a flow');
  return (value as readonly unknown[]).map((item) => {
    const { interfaceId, client, server } = requireObject(item, where);
    return {
      interfaceId: number(interfaceId, where),
      client: sighting(client, where),
      server: sighting(server, where),
    };
  });
}

function sighting(value: unknown, where: string): DirectionSighting {
  const seen = requireObject(value, where);
  return {
    packets: number(seen.packets, where),
    bytes: number(seen.bytes, where),
    first: optionalNumber(seen.first, where),
    last: optionalNumber(seen.last, where),
    retransmissions: number(seen.retransmissions, where),
    lost: number(seen.lost, where),
  };
}

/** Of any size: times may be earlier than the first packet. */
function number(value: unknown, where: string): number {
  if (typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER) return value;
  throw invalid(where, 'has no usable number in the record of a flow');
}

function optionalNumber(value: unknown, where: string): number | undefined {
  return value === undefined || value === null ? undefined : number(value, where);
}

function text(value: unknown, where: string): string {
  if (typeof value === 'string' && value.length <= TEXT) return value;
  throw invalid(where, 'has no usable text in the record of a flow');
}

function optional(value: unknown, where: string): string | undefined {
  return value === undefined ? undefined : text(value, where);
}

function oneOf<Value extends string>(value: unknown, values: readonly Value[], where: string): Value {
  const found = values.find((each) => each === value);
  if (found === undefined) throw invalid(where, 'has an unknown word in the record of a flow');
  return found;
}

import type { ConnectionWaits, RttFacts, TcpFacts } from '../flow/flow-facts.ts';
import { FLOW_I32, TCP_F64, TCP_I32 } from '../flow/flow-layout.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import { SEEN, STATE } from './flags.ts';
import { isOverheard } from './overheard.ts';
import type { Troubles } from './troubles.ts';
import { hasNoAnswer } from './unanswered.ts';

const NAMES = {
  [STATE.opening]: 'opening',
  [STATE.open]: 'open',
  [STATE.halfClosed]: 'half-closed',
  [STATE.closed]: 'closed',
  [STATE.reset]: 'reset',
  [STATE.refused]: 'refused',
} as const;

/** What is known of a connection, for who looks. */
export function connectionFacts(table: FlowTable, slot: number, troubles: Troubles): TcpFacts {
  const { ints, doubles } = table;
  const base = table.base(slot);
  const half = base >> 1;
  const client = ints[base + FLOW_I32.client] as number;
  const server = 1 - client;
  const int = (field: number) => ints[base + field] as number;
  const flags = (direction: number) => int(TCP_I32.flags + direction);
  const who = (bit: number) => (flags(client) & bit ? 'client' : flags(server) & bit ? 'server' : undefined);
  const double = (field: number) => doubles[half + field] as number;
  const scale = (direction: number) =>
    int(TCP_I32.scale + direction) > 0 ? int(TCP_I32.scale + direction) - 1 : undefined;
  const mss = (direction: number) => (int(TCP_I32.mss + direction) > 0 ? int(TCP_I32.mss + direction) : undefined);
  const syns = int(TCP_I32.syns);
  const state = NAMES[int(TCP_I32.state) as keyof typeof NAMES];
  return {
    state: hasNoAnswer(table, slot) && !isOverheard(table, slot) ? 'unanswered' : state,
    midstream: (flags(0) & SEEN.midstream) !== 0,
    closedBy: who(SEEN.closedFirst),
    resetBy: who(SEEN.rst),
    handshakeRtt: positive(double(TCP_F64.handshakeRtt)),
    setup: positive(double(TCP_F64.setup)),
    syns,
    synSpan: syns > 0 ? known(double(TCP_F64.synTime) - double(TCP_F64.firstSyn)) : undefined,
    rtt: { client: rttFacts(table, base, server), server: rttFacts(table, base, client) },
    mss: [mss(client), mss(server)],
    windowScale: [scale(client), scale(server)],
    sack: (flags(client) & flags(server) & SEEN.sackPermitted) !== 0,
    client: troubles.facts(slot, client),
    server: troubles.facts(slot, server),
  };
}

/** What went wrong with a connection's setup, and what it waited for; undefined where nothing did. */
export function connectionWaits(table: FlowTable, slot: number, troubles: Troubles): ConnectionWaits | undefined {
  const { ints, doubles } = table;
  const base = table.base(slot);
  const client = ints[base + FLOW_I32.client] as number;
  const flags = (direction: number) => ints[base + TCP_I32.flags + direction] as number;
  const portReused = (flags(client) & SEEN.collided) !== 0;
  const synAckAgain = (flags(1 - client) & SEEN.synAckAgain) !== 0;
  if (!portReused && !synAckAgain && !troubles.waits.has(slot)) return undefined;
  const waits = troubles.waits.facts(slot, client, {
    acknowledged: (direction) => ints[base + TCP_I32.ack + 1 - direction] as number,
    heard: (direction) => doubles[(base >> 1) + TCP_F64.ackTime + 1 - direction] as number,
    duplicates: (direction) => ints[base + TCP_I32.duplicates + 1 - direction] as number,
    initial: (direction) => ints[base + TCP_I32.initial + direction] as number,
    wasReset: (direction) => (flags(direction) & SEEN.rst) !== 0,
  });
  return { portReused, synAckAgain, ...waits };
}

/** Round trips to the receiver of a direction's data. @param direction of the data, 0 or 1 */
function rttFacts({ ints, doubles }: FlowTable, base: number, direction: number): RttFacts | undefined {
  const samples = ints[base + TCP_I32.rttSamples + direction] as number;
  const double = (field: number) => doubles[(base >> 1) + field + direction] as number;
  if (samples === 0) return undefined;
  return {
    minimum: double(TCP_F64.rttMinimum),
    mean: double(TCP_F64.rttSum) / samples,
    maximum: double(TCP_F64.rttMaximum),
    samples,
  };
}

/** Undefined where another place of capture answered that has not seen the same SYNs (answer-elsewhere), or where times go back. */
function known(time: number): number | undefined {
  return time >= 0 ? time : undefined;
}

function positive(time: number): number | undefined {
  return time > 0 ? time : undefined;
}

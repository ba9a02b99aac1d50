import type { TcpFacts } from '../flow/flow-facts.ts';
import { FLOW_I32, TCP_F64, TCP_I32 } from '../flow/flow-layout.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import { SEEN, STATE } from './flags.ts';
import type { Troubles } from './troubles.ts';

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
  const samples = int(TCP_I32.rttSamples);
  const scale = (direction: number) =>
    int(TCP_I32.scale + direction) > 0 ? int(TCP_I32.scale + direction) - 1 : undefined;
  const mss = (direction: number) => (int(TCP_I32.mss + direction) > 0 ? int(TCP_I32.mss + direction) : undefined);
  const handshake = doubles[half + TCP_F64.handshakeRtt] as number;
  const state = NAMES[int(TCP_I32.state) as keyof typeof NAMES];
  return {
    state: state === 'opening' && int(FLOW_I32.packets + server) === 0 ? 'unanswered' : state,
    midstream: (flags(0) & SEEN.midstream) !== 0,
    closedBy: who(SEEN.closedFirst),
    resetBy: who(SEEN.rst),
    handshakeRtt: handshake > 0 ? handshake : undefined,
    rtt:
      samples === 0
        ? undefined
        : {
            minimum: doubles[half + TCP_F64.rttMinimum] as number,
            mean: (doubles[half + TCP_F64.rttSum] as number) / samples,
            maximum: doubles[half + TCP_F64.rttMaximum] as number,
            samples,
          },
    mss: [mss(client), mss(server)],
    windowScale: [scale(client), scale(server)],
    sack: (flags(client) & flags(server) & SEEN.sackPermitted) !== 0,
    client: troubles.facts(slot, client),
    server: troubles.facts(slot, server),
  };
}

import type { TcpFacts } from '../flow/flow-facts.ts';
import { C, N, T } from '../flow/flow-layout.ts';
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
export function connectionFacts(table: FlowTable, place: number, troubles: Troubles): TcpFacts {
  const { ints, doubles } = table;
  const base = table.base(place);
  const half = base >> 1;
  const client = ints[base + N.client] as number;
  const server = 1 - client;
  const int = (field: number) => ints[base + field] as number;
  const flags = (direction: number) => int(C.flags + direction);
  const who = (bit: number) => (flags(client) & bit ? 'client' : flags(server) & bit ? 'server' : undefined);
  const samples = int(C.rttSamples);
  const scale = (direction: number) => (int(C.scale + direction) > 0 ? int(C.scale + direction) - 1 : undefined);
  const mss = (direction: number) => (int(C.mss + direction) > 0 ? int(C.mss + direction) : undefined);
  const handshake = doubles[half + T.handshakeRtt] as number;
  const state = NAMES[int(C.state) as keyof typeof NAMES];
  return {
    state: state === 'opening' && int(N.packets + server) === 0 ? 'unanswered' : state,
    midstream: (flags(0) & SEEN.midstream) !== 0,
    closedBy: who(SEEN.closedFirst),
    resetBy: who(SEEN.rst),
    handshakeRtt: handshake > 0 ? handshake : undefined,
    rtt:
      samples === 0
        ? undefined
        : {
            minimum: doubles[half + T.rttMinimum] as number,
            mean: (doubles[half + T.rttSum] as number) / samples,
            maximum: doubles[half + T.rttMaximum] as number,
            samples,
          },
    mss: [mss(client), mss(server)],
    windowScale: [scale(client), scale(server)],
    sack: (flags(client) & flags(server) & SEEN.sackPermitted) !== 0,
    client: troubles.facts(place, client),
    server: troubles.facts(place, server),
  };
}

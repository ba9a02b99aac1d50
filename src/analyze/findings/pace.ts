import type { DirectionFacts, DirectionWaits, RttFacts, TcpDirectionFacts } from '../flow/flow-facts.ts';
import { Cases } from './cases.ts';
import { clientOf, type DetectorKind, serverOf } from './detector.ts';
import type { Finding } from './finding.ts';
import { TRANSFER_BYTES } from './notable.ts';
import { counted, span } from './words.ts';

/** So many small segments of a connection waited for a delayed ACK, on a path with a shorter round trip than this (ns). */
const NAGLE_SEGMENTS = 20;
const NAGLE_RTT_NS = 10e6;

/** Share of a sender's packets that reach the end of the window: every second one is acknowledged, and releases two. */
const FULL_SHARE = 0.25;

/** The mean round trip is so much longer than the shortest: ns, and times; of so many. */
const BLOAT_NS = 50e6;
const BLOAT_TIMES = 10;
const BLOAT_SAMPLES = 100;

/** One direction of a connection. */
interface Transfer {
  readonly sender: string;
  readonly receiver: string;
  readonly counts: DirectionFacts;
  readonly health: TcpDirectionFacts;
  readonly receiverHealth: TcpDirectionFacts;
  /** Of its data, to the acknowledgement. */
  readonly rtt: RttFacts | undefined;
  readonly waits: DirectionWaits | undefined;
}

/** Connections that are slower than the network: Nagle's algorithm, small windows, full queues. */
export const pace: DetectorKind = {
  codes: ['NAGLE_DELAYED_ACK', 'WINDOW_LIMITED', 'BUFFERBLOAT'],
  create: (context) => {
    const nagle = new Cases(context.bounds);
    const limited = new Cases(context.bounds);
    const bloated = new Cases(context.bounds);
    const receivers = new Map<string, string>();
    return {
      flowEnded: (facts) => {
        const { tcp, waits, id, first, last } = facts;
        if (tcp === undefined) return;
        const isTransfer = facts.client.payload >= TRANSFER_BYTES || facts.server.payload >= TRANSFER_BYTES;
        if (!isTransfer && waits === undefined) return;
        const client = clientOf(context, facts, first);
        const server = serverOf(context, facts, first);
        const transfers: readonly Transfer[] = [
          {
            sender: client,
            receiver: server,
            counts: facts.client,
            health: tcp.client,
            receiverHealth: tcp.server,
            rtt: tcp.rtt.server,
            waits: waits?.client,
          },
          {
            sender: server,
            receiver: client,
            counts: facts.server,
            health: tcp.server,
            receiverHealth: tcp.client,
            rtt: tcp.rtt.client,
            waits: waits?.server,
          },
        ];
        for (const transfer of transfers) {
          const { sender, receiver, rtt } = transfer;
          const key = `${sender} to ${receiver}`;
          const add = (cases: Cases, measured: number) => {
            const one = cases.of(key);
            one.add(id, first);
            one.last = last;
            one.measure(measured);
            receivers.set(key, receiver);
          };
          const held = transfer.waits?.nagle ?? 0;
          if (held >= NAGLE_SEGMENTS && rtt !== undefined && rtt.minimum < NAGLE_RTT_NS) add(nagle, held);
          if (transfer.counts.payload < TRANSFER_BYTES) continue;
          if (isWindowLimited(transfer)) add(limited, transfer.health.windowFull / transfer.counts.packets);
          if (isBloated(rtt)) add(bloated, rtt.mean);
        }
      },
      findings: () => [
        ...heldBack(nagle, receivers),
        ...windowLimited(limited, receivers),
        ...queued(bloated, receivers),
      ],
    };
  },
};

/** Small writes that wait for a delayed ACK. @param receivers by connection: who receives */
function heldBack(nagle: Cases, receivers: ReadonlyMap<string, string>): Finding[] {
  const found: Finding[] = [];
  for (const [key, one] of nagle.all()) {
    const receiver = receivers.get(key) ?? '';
    const sender = key.slice(0, -` to ${receiver}`.length);
    found.push({
      code: 'NAGLE_DELAYED_ACK',
      severity: 'warning',
      confidence: 'proven',
      subject: sender,
      message: `${sender} holds small writes back until ${receiver} acknowledges the one before, 40 ms later: ${counted(one.most, 'time')} in one connection (Nagle's algorithm with delayed ACKs).`,
      evidence: [one.evidence(`${counted(one.cases, 'connection')} with small segments sent as a delayed ACK came`)],
      next: `Set TCP_NODELAY in the program of ${sender}, or have it write a whole message with one call.`,
      otherwise: undefined,
      cases: one.cases,
      attempts: one.cases,
    });
  }
  return found;
}

/** Transfers that fill the receiver's window. @param receivers by connection: who receives */
function windowLimited(limited: Cases, receivers: ReadonlyMap<string, string>): Finding[] {
  const found: Finding[] = [];
  for (const [key, one] of limited.all()) {
    const receiver = receivers.get(key) ?? '';
    found.push({
      code: 'WINDOW_LIMITED',
      severity: 'information',
      confidence: 'likely',
      subject: key,
      message: `Transfers from ${key} are limited by the TCP window of ${receiver}: ${Math.round(one.most * 100)} % of the packets fill it, and none is lost.`,
      evidence: [one.evidence(`${counted(one.cases, 'transfer')} of 1 MB or more`)],
      next: `See whether the program at ${receiver} reads at once (ss -tm there: Recv-Q stays near 0). If so, raise its receive buffer (net.ipv4.tcp_rmem, SO_RCVBUF); else see what keeps it from reading.`,
      otherwise: `the program at ${receiver} reads no faster`,
      cases: one.cases,
      attempts: one.cases,
    });
  }
  return found;
}

/** Transfers whose packets wait in a queue. @param receivers by connection: who receives */
function queued(bloated: Cases, receivers: ReadonlyMap<string, string>): Finding[] {
  const found: Finding[] = [];
  for (const [key, one] of bloated.all()) {
    found.push({
      code: 'BUFFERBLOAT',
      severity: 'warning',
      confidence: 'likely',
      subject: key,
      message: `Packets from ${key} wait in a queue on the way: during transfers a round trip takes ${span(one.most)} on average, more than ${BLOAT_TIMES} times the shortest.`,
      evidence: [one.evidence(`${counted(one.cases, 'transfer')} of 1 MB or more`)],
      next: 'Limit the rate of the transfer, or use a fair queue (fq_codel, cake) at the slowest link.',
      otherwise: `the route changed, or ${receivers.get(key) ?? 'the receiver'} was too busy to acknowledge`,
      cases: one.cases,
      attempts: one.cases,
    });
  }
  return found;
}

function isWindowLimited({ counts, health, receiverHealth }: Transfer): boolean {
  if (health.retransmissions > 0 || health.lost > 0 || receiverHealth.zeroWindows > 0) return false;
  return health.windowFull >= counts.packets * FULL_SHARE;
}

function isBloated(rtt: RttFacts | undefined): rtt is RttFacts {
  if (rtt === undefined || rtt.samples < BLOAT_SAMPLES) return false;
  return rtt.mean - rtt.minimum >= BLOAT_NS && rtt.mean >= rtt.minimum * BLOAT_TIMES;
}

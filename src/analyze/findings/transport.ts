import type { DirectionWaits } from '../flow/flow-facts.ts';
import { FINDING_SUBJECTS } from '../limits.ts';
import { Cases } from './cases.ts';
import { clientOf, type DetectorContext, type DetectorKind, serverOf } from './detector.ts';
import type { Finding } from './finding.ts';
import { counted, share, span } from './words.ts';

/** Of so many packets this share must have been sent again. */
const LOSS_PACKETS = 1000;
const LOSS_WARNING = 0.01;
const LOSS_ERROR = 0.05;
/** A receiver does not read that keeps its window closed so long at a time, or so long altogether and for this share of the connection. */
const CLOSED_NS = 100e6;
const CLOSED_SHARE = 0.1;

/** What TCP shows of the network and of receivers that do not read. */
export const transport: DetectorKind = {
  codes: ['PACKET_LOSS', 'RECEIVER_SLOW'],
  create: (context) => {
    const lost = new Cases(context.bounds);
    /** By pair: its client and server. */
    const between = new Map<string, readonly [client: string, server: string]>();
    const slow = new Cases(context.bounds);
    return {
      flowEnded: (facts) => {
        const { tcp, waits, id, first, last } = facts;
        if (tcp === undefined) return;
        const server = serverOf(context, facts, first);
        const client = clientOf(context, facts, first);
        const pair = `${client} and ${server}`;
        for (const direction of [tcp.client, tcp.server]) {
          // SYNs that are repeated may have no answer for other reasons.
          const syns = direction === tcp.client ? Math.max(0, tcp.syns - 1) : 0;
          const again = direction.retransmissions - direction.spuriousRetransmissions - syns;
          if (again <= 0) continue;
          const own = lost.of(pair);
          own.add(id, first);
          own.cases += again - 1;
          own.last = last;
          if (between.size < FINDING_SUBJECTS) between.set(pair, [client, server]);
        }
        for (const [direction, name] of [
          [waits?.client, client],
          [waits?.server, server],
        ] as const) {
          if (direction === undefined || !isSlowReader(direction, last - first)) continue;
          const one = slow.of(name);
          one.add(id, first);
          one.last = last;
          one.measure(direction.windowClosed);
        }
      },
      findings: () => [...lossFindings(context, lost, between), ...slowReaders(context, slow)],
    };
  },
};

/** @param between by pair: its client and server */
function lossFindings(
  { tallies }: DetectorContext,
  lost: Cases,
  between: ReadonlyMap<string, readonly [client: string, server: string]>,
): Finding[] {
  const found: Finding[] = [];
  for (const [pair, one] of lost.all()) {
    const [client = '', server = ''] = between.get(pair) ?? [];
    const all = tallies.packetsBetween(client, server);
    if (all < LOSS_PACKETS || one.cases < all * LOSS_WARNING) continue;
    found.push({
      code: 'PACKET_LOSS',
      severity: one.cases >= all * LOSS_ERROR ? 'error' : 'warning',
      confidence: 'proven',
      subject: pair,
      message: `Packets between ${pair} are lost: ${((one.cases / all) * 100).toFixed(1)} % of ${counted(all, 'packet')} were retransmitted.`,
      evidence: [one.evidence(`${counted(one.cases, 'retransmission')}, without spurious ones and SYNs`)],
      next: 'Trace both ends to see where packets are lost: ksnoop trace TARGET OTHER-TARGET',
      otherwise: undefined,
      cases: one.cases,
      attempts: all,
    });
  }
  return found;
}

function slowReaders({ tallies }: DetectorContext, slow: Cases): Finding[] {
  const found: Finding[] = [];
  slow.attemptsOf((name) => tallies.flowsOf(name));
  for (const [subject, one] of slow.counting()) {
    found.push({
      code: 'RECEIVER_SLOW',
      severity: 'warning',
      confidence: 'proven',
      subject,
      message: `${subject} reads too slowly: in ${share(one, 'connection')} it kept its TCP receive window closed, for up to ${span(one.most)}.`,
      evidence: [one.evidence('a zero window stops the sender until the receiver has read')],
      next: `Check CPU use and throttling of ${subject}, and what blocks it.`,
      otherwise: 'it slows the sender down on purpose (back-pressure)',
      cases: one.cases,
      attempts: one.attempts,
    });
  }
  return found;
}

/** @param duration of the connection, ns */
function isSlowReader({ windowClosed, longestWindowClosed }: DirectionWaits, duration: number): boolean {
  return longestWindowClosed >= CLOSED_NS || (windowClosed >= CLOSED_NS && windowClosed >= duration * CLOSED_SHARE);
}

import { Cases } from './cases.ts';
import { clientOf, type DetectorContext, type DetectorKind, serverOf, serviceNamed } from './detector.ts';
import type { Finding } from './finding.ts';
import { counted, span, traceOf } from './words.ts';

/** A segment of so many bytes that is sent again so often, and never acknowledged, is too large for the path. */
const LARGE_BYTES = 1000;
const STUCK_REPEATS = 3;

/**
 * So many waits for the retransmission timer, 200 ms or longer, and this share of the connections. The longest of a connection
 * counts where it is this share of a request's time; of the connection's own time where no request can be read.
 */
const STALLS = 3;
const STALLED_SHARE = 0.01;
const WAITED_SHARE = 0.5;

/** Segments that do not arrive, and what waits for them. */
export const stalls: DetectorKind = {
  codes: ['MTU_BLACKHOLE', 'RTO_STALL'],
  explains: { MTU_BLACKHOLE: ['RTO_STALL', 'CLIENT_GAVE_UP', 'ROUND_TIMEOUT', 'KEEPALIVE_RACE'] },
  create: (context) => {
    const blackholes = new Cases(context.bounds);
    const stalled = new Cases(context.bounds);
    /** Connections with a stall. */
    const connections = new Cases(context.bounds);
    /** By server: the sides between which the large segments are lost. */
    const between = new Map<string, readonly [sender: string, receiver: string]>();
    return {
      flowEnded: (facts) => {
        const { tcp, waits, id, first } = facts;
        if (tcp === undefined || waits === undefined) return;
        const server = serverOf(context, facts, first);
        let hasStall = false;
        for (const direction of [waits.client, waits.server]) {
          if (direction?.longestStall === undefined || facts.protocol === undefined) continue;
          // What never arrives is something else than what arrives late.
          if (direction.stuck !== undefined) continue;
          const [from, to] = direction.longestStall;
          const isMost =
            facts.protocol !== 'tls' && context.tallies.hasExchange(id)
              ? context.tallies.isShareOfExchange(id, from, to, WAITED_SHARE)
              : direction.stalled >= (facts.last - first) * WAITED_SHARE;
          if (!isMost) continue;
          const one = stalled.of(server);
          one.add(id, from);
          one.cases += direction.stalls - 1;
          one.last = to;
          one.measure(to - from);
          hasStall = true;
        }
        if (hasStall) connections.of(server).cases += 1;
        if (tcp.midstream) return;
        const client = clientOf(context, facts, first);
        for (const [direction, sender, receiver] of [
          [waits.client, client, server],
          [waits.server, server, client],
        ] as const) {
          const stuck = direction?.stuck;
          if (stuck === undefined || stuck.bytes < LARGE_BYTES || stuck.repeats < STUCK_REPEATS) continue;
          // Nothing so large ever arrived, and what is smaller still does.
          if (stuck.acknowledged === undefined || stuck.acknowledged >= stuck.bytes || !stuck.othersArrive) continue;
          const one = blackholes.of(server);
          one.add(id, stuck.first, `${stuck.bytes} bytes`);
          one.last = stuck.last;
          one.measure(stuck.repeats);
          between.set(server, [sender, receiver]);
        }
      },
      findings: () => [...blackholeFindings(blackholes, between), ...stallFindings(context, stalled, connections)],
    };
  },
};

/** @param between by server: the sides between which the large segments are lost */
function blackholeFindings(
  blackholes: Cases,
  between: ReadonlyMap<string, readonly [sender: string, receiver: string]>,
): Finding[] {
  const found: Finding[] = [];
  for (const [subject, one] of blackholes.all()) {
    if (one.cases === 0) continue;
    const [sender, receiver] = between.get(subject) ?? [subject, subject];
    found.push({
      code: 'MTU_BLACKHOLE',
      severity: 'error',
      confidence: 'likely',
      subject,
      message: `Large packets from ${sender} do not reach ${receiver}, smaller ones do: in ${counted(one.cases, 'connection')} a segment of ${one.frequent()[0] ?? 'full size'} was retransmitted up to ${one.most} times and never acknowledged.`,
      evidence: [one.evidence('the other side went on to acknowledge earlier bytes only')],
      next: `Find the largest packet that passes from ${sender}: ping -M do -s 1472 ADDRESS, and smaller ones. If it is below the MTU, lower the MTU there (tunnels take 20 to 80 bytes: VXLAN 50, IPIP 20, WireGuard 60 to 80), or let ICMP "fragmentation needed" pass.`,
      otherwise: 'a firewall drops these packets because of their content',
      cases: one.cases,
      attempts: one.cases,
    });
  }
  return found;
}

/** @param connections those with a stall */
function stallFindings(context: DetectorContext, stalled: Cases, connections: Cases): Finding[] {
  const found: Finding[] = [];
  stalled.attemptsOf((subject) => context.tallies.of(subject)?.flows);
  for (const [subject, one] of stalled.all()) {
    if (one.cases < STALLS || one.cases < one.attempts * STALLED_SHARE) continue;
    found.push({
      code: 'RTO_STALL',
      severity: 'warning',
      confidence: 'proven',
      subject,
      message: `Lost packets delay requests to ${subject}: ${counted(one.cases, 'time')} a sender waited for its retransmission timer, up to ${span(one.most)}.`,
      evidence: [
        one.evidence(
          `${counted(connections.of(subject).cases, 'connection')}; the longest was half of a request's time or more (of the connection's, where that is encrypted)`,
        ),
      ],
      next: `To see between which places the packets are lost: ${traceOf(serviceNamed(context, subject))}`,
      otherwise: undefined,
      cases: one.cases,
      attempts: one.attempts,
    });
  }
  return found;
}

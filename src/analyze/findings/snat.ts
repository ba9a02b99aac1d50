import { growth, type StatePair } from '../state/network-states.ts';
import { Case } from './cases.ts';
import { type DetectorKind, type FindingContext, placeOf } from './detector.ts';
import { type Finding, withoutPackets } from './finding.ts';
import { counted, examplesOf, grouped } from './words.ts';

/** So many connections whose first SYN was lost, and that came up with a later one. */
const RETRIED = 3;

/** Share of the ports for outgoing connections that one translated address uses to one destination. */
const PORTS_SHARE = 0.9;

/** Network address translation of the source: two connections that take one port at the same time, and ports that are used up. */
export const snat: DetectorKind = {
  codes: ['SNAT_PORT_RACE', 'SNAT_PORTS_EXHAUSTED'],
  create: (context) => {
    const retried = new Case();
    /** By address and port of the server: SYNs without a response. */
    const unanswered = new Map<string, Case>();
    return {
      flowEnded: ({ id, first, tcp, serverHost, serverPort }) => {
        if (tcp === undefined || tcp.midstream || tcp.syns < 2) return;
        const server = `${serverHost < 0 ? '' : context.hosts.text(serverHost)} ${serverPort}`;
        if (tcp.state !== 'unanswered') {
          if (tcp.state !== 'refused') retried.add(id, first, server.replace(' ', ' port '));
          return;
        }
        const one = unanswered.get(server) ?? new Case();
        if (unanswered.size < SERVERS) unanswered.set(server, one);
        one.add(id, first);
      },
      findings: () =>
        context.states
          .pairs()
          .flatMap((pair) => [...portRace(pair, context, retried), ...exhausted(pair, context, unanswered)]),
    };
  },
};

/** Servers without a response that have a count of their own, at most. */
const SERVERS = 4096;

function portRace(pair: StatePair, context: FindingContext, retried: Case): Finding[] {
  const failed = growth(pair, 'Conntrack insert_failed') ?? 0;
  if (failed === 0 || retried.cases < RETRIED) return [];
  const subject = placeOf(context, pair.interfaceId);
  return [
    {
      code: 'SNAT_PORT_RACE',
      severity: 'error',
      confidence: 'likely',
      subject,
      message: `Connections through ${subject} lose their first SYN when two of them get the same translated port: ${counted(retried.cases, 'connection')} came up only with a later SYN.`,
      evidence: [
        retried.evidence(`to ${examplesOf(retried)}`),
        withoutPackets(
          `the kernel's counter insert_failed of conntrack rose by ${grouped(failed)} between the first and the last state`,
        ),
      ],
      next: 'Let the rules that translate addresses choose random ports: MASQUERADE --random-fully (kube-proxy and CNI plugins have an option for it).',
      otherwise: 'packets are lost on the way, or a network card drops them',
      cases: retried.cases,
      attempts: retried.cases,
    },
  ];
}

function exhausted(pair: StatePair, context: FindingContext, unanswered: ReadonlyMap<string, Case>): Finding[] {
  const { snatPorts = [], portRange } = pair.last.state;
  if (portRange === undefined) return [];
  const ports = portRange.last - portRange.first + 1;
  const place = placeOf(context, pair.interfaceId);
  return snatPorts.flatMap(({ address, destination, port, count }): Finding[] => {
    const lost = unanswered.get(`${destination} ${port}`);
    if (lost === undefined || ports <= 0 || count < ports * PORTS_SHARE) return [];
    return [
      {
        code: 'SNAT_PORTS_EXHAUSTED',
        severity: 'error',
        confidence: 'likely',
        subject: place,
        message: `${place} has hardly any port left for connections from ${address} to ${destination} port ${port}: ${counted(lost.cases, 'new connection')} got no response to the SYN.`,
        evidence: [
          lost.evidence(
            `${grouped(count)} connections in the connection tracking table share the translated address; the kernel has ${grouped(ports)} ports for them`,
            'code == "TCP_NO_ANSWER"',
          ),
        ],
        next: 'Reuse connections (a pool, HTTP keep-alive), or translate to more addresses.',
        otherwise: `${destination} does not respond for another reason`,
        cases: lost.cases,
        attempts: lost.cases,
      },
    ];
  });
}

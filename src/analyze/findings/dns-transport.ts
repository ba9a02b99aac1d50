import { RecentMap } from '../recent-map.ts';
import { fieldsIn, textIn } from '../record/field-values.ts';
import { FieldFacts } from '../record/shared-fields.ts';
import { growth } from '../state/network-states.ts';
import { Cases } from './cases.ts';
import { clientOf, type DetectorKind, type FindingContext, serverOf } from './detector.ts';
import { type Finding, withoutPackets } from './finding.ts';
import { counted, examplesOf, grouped, share } from './words.ts';

/** A and AAAA so close together come from one call of a resolver. ns */
const TOGETHER_NS = 5e6;
/** Of those one is answered within this time, and the other is sent again after musl's 2.5 s or glibc's 5 s. ns */
const ANSWERED_NS = 1e9;
const AGAIN_NS = 2.4e9;
const RACES = 3;
const AGAINST_RACE =
  'Use NodeLocal DNSCache, or (glibc only, not Alpine) dnsConfig.options single-request-reopen in the pod.';

/** After a truncated response the resolver connects within this time. ns */
const TCP_NS = 5e9;

/** Clients whose last truncated response is remembered; and flows whose last query is, a power of two. */
const REMEMBERED = 4096;

const DNS_PORT = 53;

/** What DNS exchanges with the same fields have in common. */
interface Query {
  readonly isTruncated: boolean;
  readonly isForAddress: boolean;
  readonly type: string;
  readonly name: string;
  readonly isRepeated: boolean;
}

/** DNS over a network that loses one query of two, or does not let TCP through. */
export const dnsTransport: DetectorKind = {
  codes: ['DNS_CONNTRACK_RACE', 'DNS_TCP_BLOCKED'],
  exchanges: (protocol) => protocol === 'dns',
  explains: { DNS_CONNTRACK_RACE: ['DNS_SLOW'], DNS_TCP_BLOCKED: ['CONNECT_TIMEOUT', 'POD_NOT_LISTENING'] },
  create: (context) => {
    const races = new Cases(context.bounds);
    const blocked = new Cases(context.bounds);
    const lookups = new LastLookups();
    /** By client and server: when a response was truncated. */
    const truncated = new RecentMap<string, number>(REMEMBERED);
    const queries = new FieldFacts<Query>((all) => {
      const fields = fieldsIn(all.dns);
      const type = textIn(fields?.type);
      return {
        isTruncated: fields?.truncated === true,
        isForAddress: type === 'A' || type === 'AAAA',
        type,
        name: textIn(fields?.name),
        isRepeated: Number(fields?.retransmissions ?? 0) > 0,
      };
    });
    return {
      event: (event, flow, server) => {
        if (event.kind !== 'exchange' || flow.transport !== 'udp') return;
        const query = queries.of(event.fields);
        if (query.isTruncated && event.responseTime !== undefined)
          truncated.set(`${flow.clientHost} ${flow.serverHost}`, event.responseTime);
        if (!query.isForAddress) return;
        const { time, responseTime, incomplete } = event;
        const waited = responseTime === undefined ? undefined : responseTime - time;
        const isLost =
          (waited === undefined && (incomplete === 'no response' || incomplete === 'timed out')) ||
          (waited !== undefined && waited >= AGAIN_NS && query.isRepeated);
        const race = races.of(server);
        race.attempts += 1;
        const isRace = isLost && lookups.wasOther(flow.id, query, time);
        lookups.set(flow.id, query, time, waited !== undefined && waited < ANSWERED_NS);
        if (isRace) race.add(flow.id, time, clientOf(context, flow, time));
      },
      repeated: ({ exchange, count }, flow, server) => {
        if (flow.transport === 'udp' && queries.of(exchange.fields).isForAddress) races.of(server).attempts += count;
      },
      alike: (event, flow, server) => {
        const query = queries.of(event.fields);
        if (flow.transport !== 'udp' || query.isTruncated || query.isRepeated) return undefined;
        if (!query.isForAddress) return { counted: () => {} };
        const race = races.of(server);
        return {
          lastOfFlow: (id, time, latency) => lookups.set(id, query, time, latency < ANSWERED_NS),
          counted: (sums) => {
            race.attempts += sums.count;
          },
        };
      },
      flowEnded: (facts) => {
        const { tcp, serverPort, clientHost, serverHost, first, id } = facts;
        if (serverPort !== DNS_PORT || tcp === undefined) return;
        const asked = truncated.get(`${clientHost} ${serverHost}`);
        if (asked === undefined || first < asked || first - asked > TCP_NS) return;
        const server = serverOf(context, facts, first);
        const one = blocked.of(server);
        one.attempts += 1;
        const isBlocked = tcp.state === 'refused' || (tcp.state === 'unanswered' && tcp.syns > 1);
        if (isBlocked) one.add(id, first, clientOf(context, facts, first));
      },
      findings: () => [...raceFindings(context, races), ...blockedFindings(blocked)],
    };
  },
};

/** By flow: the last lookup of an address. A later flow takes the place of an earlier one. */
class LastLookups {
  readonly #flows = new Int32Array(REMEMBERED);
  readonly #queries: (Query | undefined)[] = new Array<Query | undefined>(REMEMBERED).fill(undefined);
  readonly #times = new Float64Array(REMEMBERED);
  readonly #answered = new Uint8Array(REMEMBERED);

  set(flow: number, query: Query, time: number, answered: boolean): void {
    const slot = flow & (REMEMBERED - 1);
    this.#flows[slot] = flow + 1;
    this.#queries[slot] = query;
    this.#times[slot] = time;
    this.#answered[slot] = answered ? 1 : 0;
  }

  /** Whether the last one was for the other type of the same name, sent at the same time, and answered soon. @param time ns */
  wasOther(flow: number, { name, type }: Query, time: number): boolean {
    const slot = flow & (REMEMBERED - 1);
    const last = this.#queries[slot];
    if (this.#flows[slot] !== flow + 1 || last === undefined || this.#answered[slot] === 0) return false;
    return last.name === name && last.type !== type && Math.abs((this.#times[slot] as number) - time) <= TOGETHER_NS;
  }
}

/** Lookups of which one query was lost. */
function raceFindings({ states }: FindingContext, races: Cases): Finding[] {
  const found: Finding[] = [];
  const failed = states.pairs().reduce((sum, pair) => sum + (growth(pair, 'Conntrack insert_failed') ?? 0), 0);
  for (const [subject, one] of races.all()) {
    if (one.cases < RACES) continue;
    found.push({
      code: 'DNS_CONNTRACK_RACE',
      severity: 'error',
      confidence: failed > 0 ? 'proven' : 'likely',
      subject,
      message: `Of two DNS queries (A and AAAA) sent to ${subject} at the same time, one is lost: ${counted(one.cases, 'lookup')} waited for seconds.`,
      evidence: [
        one.evidence(`${examplesOf(one)} sent both from one port`, 'protocol == "dns" && dns.retransmissions > 0'),
        ...(failed > 0
          ? [withoutPackets(`the kernel's counter insert_failed of conntrack rose by ${grouped(failed)} meanwhile`)]
          : []),
      ],
      next:
        failed > 0
          ? AGAINST_RACE
          : `See whether the counter insert_failed rises on the pod's node (conntrack -S, twice). If so: ${AGAINST_RACE}`,
      otherwise: failed > 0 ? undefined : 'the DNS server dropped the query: capture at the server too',
      cases: one.cases,
      attempts: one.attempts,
    });
  }
  return found;
}

/** Servers whose TCP port does not open after a truncated response. */
function blockedFindings(blocked: Cases): Finding[] {
  const found: Finding[] = [];
  for (const [subject, one] of blocked.counting()) {
    found.push({
      code: 'DNS_TCP_BLOCKED',
      severity: 'error',
      confidence: 'proven',
      subject,
      message: `DNS over TCP to ${subject} fails: ${share(one, 'connection')} after a truncated response did not open.`,
      evidence: [one.evidence(`${examplesOf(one)} tried it`, 'code in ["TCP_NO_ANSWER", "TCP_REFUSED"]')],
      next: 'Allow TCP port 53 beside UDP in the network policies and firewalls between them.',
      otherwise: undefined,
      cases: one.cases,
      attempts: one.attempts,
    });
  }
  return found;
}

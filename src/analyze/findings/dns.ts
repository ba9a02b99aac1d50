import type { Exchange, Fields, FieldValue } from '../record/event.ts';
import { Histogram } from '../summary/histogram.ts';
import { Cases } from './cases.ts';
import { clientOf, type DetectorKind, serverOf } from './detector.ts';
import type { Finding } from './finding.ts';
import { listed, quoted, share, span } from './words.ts';

/** Half of a client's queries must be for nothing. */
const EXPANSION_SHARE = 0.5;
const EXPANSION_CASES = 10;
/** A name that is asked for so often matters to somebody. */
const NAME_CASES = 3;
const SLOW_NS = 100e6;
const SLOW_QUERIES = 20;

/** Names that are tracked as to whether they ever resolve. */
const NAMES = 4096;

interface NameState {
  asked: number;
  resolved: boolean;
  missing: number;
  flow: number;
  first: number;
  last: number;
  client: string;
}

/** DNS: search lists, names that do not exist, servers that fail or are slow. */
export const dns: DetectorKind = {
  codes: ['DNS_SEARCH_EXPANSION', 'DNS_NAME_MISSING', 'DNS_FAILS', 'DNS_SLOW'],
  create: (context) => {
    const expansions = new Cases();
    const failures = new Cases();
    const latencies = new Map<string, { readonly histogram: Histogram; flow: number; first: number; last: number }>();
    const names = new Map<string, NameState>();
    const seen = (exchange: Exchange, flow: number, client: string, name: string, rcode: string) => {
      let state = names.get(name);
      if (state === undefined) {
        if (names.size >= NAMES) return;
        state = { asked: 0, resolved: false, missing: 0, flow, first: exchange.time, last: exchange.time, client };
        names.set(name, state);
      }
      state.asked += 1;
      state.last = exchange.time;
      if (rcode === 'NXDOMAIN') state.missing += 1;
      else if (rcode === 'NOERROR') state.resolved = true;
    };
    return {
      event: (event, flow) => {
        if (event.kind !== 'exchange' || event.protocol !== 'dns') return;
        const fields = fieldsOf(event.fields.dns);
        const name = textOf(fields?.name).toLowerCase();
        const rcode = textOf(fields?.rcode);
        const client = clientOf(context, flow, event.time);
        const server = serverOf(context, flow, event.time);
        if (rcode !== '') {
          const failed = failures.of(server);
          failed.attempts += 1;
          if (rcode === 'SERVFAIL' || rcode === 'REFUSED') failed.add(flow.id, event.time, rcode);
          const expanded = expansions.of(client);
          expanded.attempts += 1;
          if (rcode === 'NXDOMAIN' && isExpansion(name)) expanded.add(flow.id, event.time, name);
          if (name !== '') seen(event, flow.id, client, name, rcode);
        }
        if (event.incomplete !== undefined || event.responseEnd === undefined) return;
        let own = latencies.get(server);
        if (own === undefined) {
          if (latencies.size >= NAMES) return;
          own = { histogram: new Histogram(), flow: flow.id, first: event.time, last: event.time };
          latencies.set(server, own);
        }
        own.histogram.record(event.responseEnd - event.time);
        own.last = event.time;
      },
      findings: () => {
        const found: Finding[] = [];
        const bare = (name: string) => wanted(name, names);
        for (const [client, one] of expansions.all()) {
          if (one.cases < EXPANSION_CASES || one.cases < one.attempts * EXPANSION_SHARE) continue;
          // Only where the name that was wanted answers: else it is the name that is missing.
          const texts = one.frequent().filter((name) => names.get(bare(name) ?? '')?.resolved === true);
          if (texts.length === 0) continue;
          found.push({
            code: 'DNS_SEARCH_EXPANSION',
            severity: 'warning',
            confidence: 'proven',
            subject: client,
            message: `${client} asks DNS for names that cannot exist: ${share(one, 'query').replace('querys', 'queries')} had a search suffix appended and got NXDOMAIN.`,
            evidence: [one.evidence(`for example ${listed(texts)}`, 'dns.rcode == "NXDOMAIN"')],
            next: `Write names with a dot at their end (${bare(texts[0] ?? '') ?? 'name'}.), or set dnsConfig.options ndots to 1 in the pod.`,
            otherwise: undefined,
            cases: one.cases,
            attempts: one.attempts,
          });
        }
        for (const [name, state] of names) {
          if (state.resolved || state.missing < 1 || isExpansion(name) || isAnyExpansionResolved(name, names)) continue;
          // Reverse lookups of addresses without a name are usual; and a search list appends what does not exist.
          if (name.endsWith('.arpa') || isSuffixOfKnown(name, names)) continue;
          if (!name.includes('.') && isExpanded(name, names)) continue;
          found.push({
            code: 'DNS_NAME_MISSING',
            severity: state.missing < NAME_CASES ? 'warning' : 'error',
            confidence: 'proven',
            subject: name,
            message: `The name ${name} does not exist: ${state.missing} of ${state.asked} queries got NXDOMAIN, and none an address.`,
            evidence: [
              {
                text: `asked by ${state.client}`,
                flows: [state.flow],
                times: [state.first, state.last],
                where: `dns.name == ${quoted(name)}`,
              },
            ],
            next: nearNames(name, names),
            otherwise: undefined,
            cases: state.missing,
            attempts: state.asked,
          });
        }
        for (const [server, one] of failures.counting()) {
          found.push({
            code: 'DNS_FAILS',
            severity: 'error',
            confidence: 'proven',
            subject: server,
            message: `The DNS server ${server} fails: ${one.cases} of ${one.attempts} responses were ${listed(one.frequent())}.`,
            evidence: [one.evidence('responses without an answer', 'dns.rcode in ["SERVFAIL", "REFUSED"]')],
            next: 'kubectl logs -n kube-system -l k8s-app=kube-dns',
            otherwise: undefined,
            cases: one.cases,
            attempts: one.attempts,
          });
        }
        for (const [server, { histogram, flow, first, last }] of latencies) {
          const p95 = histogram.percentile(0.95);
          if (histogram.count < SLOW_QUERIES || p95 < SLOW_NS) continue;
          found.push({
            code: 'DNS_SLOW',
            severity: 'warning',
            confidence: 'proven',
            subject: server,
            message: `The DNS server ${server} is slow: 5 % of ${histogram.count} responses took ${span(p95)} or longer.`,
            evidence: [
              {
                text: `median ${span(histogram.percentile(0.5))}, longest ${span(histogram.max)}`,
                flows: [flow],
                times: [first, last],
                where: 'protocol == "dns" && latency > duration("100ms")',
              },
            ],
            next: "Look at the server's processor time and at the server that it asks in turn.",
            otherwise: undefined,
            cases: histogram.count,
            attempts: histogram.count,
          });
        }
        return found;
      },
    };
  },
};

/** What kubelet writes into the search list of pods: `shop.svc.cluster.local`, `svc.cluster.local`, `cluster.local`. */
const SUFFIX = /^(.+?)\.(?:[a-z0-9-]+\.svc\.cluster\.local|svc\.cluster\.local|cluster\.local)$/;

/** Whether a search suffix stands behind a name that has dots of its own: `api.example.com.svc.cluster.local`. */
function isExpansion(name: string): boolean {
  const stem = SUFFIX.exec(name)?.[1];
  return stem?.includes('.') === true && !/\.svc$/.test(stem);
}

/** The name that was wanted, of one with a search suffix. */
function wanted(name: string, names: ReadonlyMap<string, NameState>): string | undefined {
  const stem = SUFFIX.exec(name)?.[1];
  return stem !== undefined && names.has(stem) ? stem : undefined;
}

/** Whether a name resolved with some suffix. */
function isAnyExpansionResolved(name: string, names: ReadonlyMap<string, NameState>): boolean {
  for (const [other, { resolved }] of names) if (resolved && other.startsWith(`${name}.`)) return true;
  return false;
}

/** Whether a name that was asked for as well is what it begins with: the rest is a search list's. */
function isSuffixOfKnown(name: string, names: ReadonlyMap<string, NameState>): boolean {
  for (let dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1)) {
    if (names.has(name.slice(0, dot))) return true;
  }
  return false;
}

/** Whether a name was asked for with a suffix too. */
function isExpanded(name: string, names: ReadonlyMap<string, NameState>): boolean {
  for (const other of names.keys()) if (other.startsWith(`${name}.`)) return true;
  return false;
}

/** Names that resolve and differ by little. */
function nearNames(name: string, names: ReadonlyMap<string, NameState>): string {
  const first = name.split('.')[0] ?? '';
  const near = [...names]
    .filter(([other, { resolved }]) => resolved && other !== name && distance(first, other.split('.')[0] ?? '') <= 2)
    .map(([other]) => other);
  const service = /^([a-z0-9-]+)\.([a-z0-9-]+)\.svc(?:\.|$)/.exec(name);
  if (near.length > 0) return `Did you mean ${listed(near)}?`;
  if (service !== null) return `kubectl get services -n ${service[2]}`;
  return 'Check how the name is written, and the namespace in it.';
}

/** Levenshtein distance, of short texts; more than 2 counts as 3. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2 || a.length > 63) return 3;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return Math.min(3, row.at(-1) ?? 3);
}

function fieldsOf(value: FieldValue | undefined): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

function textOf(value: FieldValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

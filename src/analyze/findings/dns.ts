import type { AlikeSums } from '../flow/alike.ts';
import type { Fields } from '../record/event.ts';
import { fieldsIn, textIn } from '../record/field-values.ts';
import { FieldFacts } from '../record/shared-fields.ts';
import { ExchangeRow } from '../summary/exchange-rows.ts';
import { Histogram } from '../summary/histogram.ts';
import { type Case, Cases } from './cases.ts';
import { clientOf, type DetectorContext, type DetectorKind, type FindingContext, placeOf } from './detector.ts';
import { DnsSilence } from './dns-silence.ts';
import { type Evidence, type Finding, withoutPackets } from './finding.ts';
import { NearNames } from './near-names.ts';
import { counted, examplesOf, listed, quoted, share, span } from './words.ts';

/** Half of a client's queries must be for nothing. */
const EXPANSION_SHARE = 0.5;
const EXPANSION_CASES = 10;
/** So many queries for a name in vain are an error; fewer may be a person's. */
const MISSING_QUERIES = 3;
const SLOW_NS = 100e6;
const SLOW_QUERIES = 20;

/** So few failures are a warning. */
const FAILED_QUERIES = 3;

/** Names that are tracked as to whether they ever resolve. */
const NAMES = 4096;

/** A name as queries wrote it: what does not change from query to query is found once. */
interface AskedName {
  /** In lower case: the case of a name has no meaning (RFC 4343). */
  readonly name: string;
  readonly isExpansion: boolean;
  /** Undefined while no query asked for its addresses. */
  state: NameState | undefined;
}

/** What DNS exchanges with the same fields have in common. */
interface Answer {
  /** There is a response. */
  readonly isAnswer: boolean;
  /** Its code where that says that the server failed; else empty. */
  readonly failure: string;
  /** The name does not exist; the name is there. */
  readonly isMissing: boolean;
  readonly isFound: boolean;
  readonly isForAddress: boolean;
  readonly asked: AskedName;
}

/** Of a query without a response. */
const NO_NAME: AskedName = { name: '', isExpansion: false, state: undefined };

interface ServerState {
  readonly failures: Case;
  latencies: { readonly histogram: Histogram; readonly flow: number; readonly first: number; last: number } | undefined;
}

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
  // ICMP messages tell that a server cannot be reached.
  exchanges: (protocol) => protocol === 'dns' || protocol === 'icmp' || protocol === 'icmpv6',
  create: (context) => {
    const expansions = new Cases(context.bounds);
    const silence = new DnsSilence(context);
    const servers = new Servers(context);
    const asked = new AskedNames();
    return {
      event: (event, flow, server) => {
        // What has its response needs no look.
        if (event.kind !== 'exchange' || event.incomplete !== undefined) silence.event(event, flow, server);
        if (event.kind !== 'exchange') return;
        const { time } = event;
        const client = clientOf(context, flow, time);
        const answer = asked.answerOf(event.fields);
        if (answer.isAnswer) {
          const failed = servers.failuresOf(server);
          failed.attempts += 1;
          if (answer.failure !== '') failed.add(flow.id, time, answer.failure);
          const expanded = expansions.of(client);
          expanded.attempts += 1;
          if (answer.isMissing && answer.asked.isExpansion) expanded.add(flow.id, time, answer.asked.name);
          if (answer.isForAddress) asked.add(answer, client, flow.id, time);
        }
        if (event.incomplete === undefined && event.responseEnd !== undefined)
          servers.addLatency(server, flow.id, time, event.responseEnd - time);
      },
      repeated: (repeated, flow, server) => {
        const { exchange, count } = repeated;
        const { time } = exchange;
        const answer = asked.answerOf(exchange.fields);
        if (!answer.isAnswer) return;
        servers.failuresOf(server).attempts += count;
        const client = clientOf(context, flow, time);
        const expanded = expansions.of(client);
        expanded.attempts += count;
        if (answer.isMissing && answer.asked.isExpansion) expanded.addMany(count, flow.id, time, answer.asked.name);
        if (answer.isForAddress) asked.add(answer, client, flow.id, time, count);
        servers.addTimes(server, flow.id, time, ExchangeRow.of(repeated).latency);
      },
      alike: (event, flow, server) => {
        const { time } = event;
        const client = clientOf(context, flow, time);
        const answer = asked.answerOf(event.fields);
        const { name } = answer.asked;
        if (!answer.isAnswer || answer.failure !== '') return undefined;
        const failed = servers.failuresOf(server);
        const expanded = expansions.of(client);
        const isExpanded = answer.isMissing && answer.asked.isExpansion;
        if (isExpanded && !expanded.isKnown(name)) return undefined;
        return {
          counted: (sums) => {
            failed.attempts += sums.count;
            expanded.attempts += sums.count;
            if (isExpanded) expanded.addKnown(sums.count, sums.last, name);
            if (answer.isForAddress) asked.addKnown(answer, sums);
            servers.addLatencies(server, sums);
          },
        };
      },
      findings: () => {
        const silent = silence.findings();
        return [
          ...searchExpansions(context, expansions, asked.names),
          ...missingNames(asked.names),
          ...silent,
          ...failingServers(servers.failures, silent),
          ...slowServers(servers.states),
        ];
      },
    };
  },
};

/** How servers answer. */
class Servers {
  readonly failures: Cases;
  readonly states = new Map<string, ServerState>();
  #last = '';
  #ofLast: ServerState | undefined;

  constructor({ bounds }: DetectorContext) {
    this.failures = new Cases(bounds);
  }

  failuresOf(server: string): Case {
    return this.#state(server)?.failures ?? this.failures.of(server);
  }

  /** @param time ns after the first packet @param taken ns */
  addLatency(server: string, flow: number, time: number, taken: number): void {
    const state = this.#state(server);
    if (state === undefined) return;
    const latencies = latenciesOf(state, flow, time);
    latencies.histogram.record(taken);
    latencies.last = Math.max(latencies.last, time);
  }

  /** As addLatency, of many, of which one flow is known. @param time of the last one */
  addTimes(server: string, flow: number, time: number, taken: Histogram): void {
    const state = this.#state(server);
    if (state === undefined) return;
    const latencies = latenciesOf(state, flow, time);
    latencies.histogram.merge(taken);
    latencies.last = Math.max(latencies.last, time);
  }

  /** As addLatency, of further ones. */
  addLatencies(server: string, sums: AlikeSums): void {
    const latencies = this.#state(server)?.latencies;
    if (latencies === undefined) return;
    latencies.histogram.recordAll(sums);
    latencies.last = Math.max(latencies.last, sums.last);
  }

  /** Undefined past the bound. */
  #state(server: string): ServerState | undefined {
    // Queries to one server come in a row.
    if (this.#ofLast !== undefined && server === this.#last) return this.#ofLast;
    let state = this.states.get(server);
    if (state === undefined) {
      if (this.states.size >= NAMES) return undefined;
      state = { failures: this.failures.of(server), latencies: undefined };
      this.states.set(server, state);
    }
    this.#last = server;
    this.#ofLast = state;
    return state;
  }
}

function latenciesOf(state: ServerState, flow: number, time: number): NonNullable<ServerState['latencies']> {
  state.latencies ??= { histogram: new Histogram(), flow, first: time, last: time };
  return state.latencies;
}

/** The names in queries, and whether those of which an address was wanted ever resolve. */
class AskedNames {
  readonly names = new Map<string, NameState>();
  readonly #asked = new Map<string, AskedName>();
  readonly #answers = new FieldFacts<Answer>((all) => this.#answer(all));

  answerOf(fields: Fields): Answer {
    return this.#answers.of(fields);
  }

  /** Responses to a query for an address. @param time of the last one, ns */
  add({ asked, isMissing, isFound }: Answer, client: string, flow: number, time: number, count = 1): void {
    const { name } = asked;
    asked.state ??= this.names.get(name);
    if (asked.state === undefined) {
      if (this.names.size >= NAMES) return;
      asked.state = { asked: 0, resolved: false, missing: 0, flow, first: time, last: time, client };
      this.names.set(name, asked.state);
    }
    const { state } = asked;
    state.asked += count;
    state.last = Math.max(state.last, time);
    if (isMissing) state.missing += count;
    else if (isFound) state.resolved = true;
  }

  /** Further responses to a query of which one was added. */
  addKnown({ asked: { state }, isMissing }: Answer, { count, last }: AlikeSums): void {
    if (state === undefined) return;
    state.asked += count;
    state.last = Math.max(state.last, last);
    if (isMissing) state.missing += count;
  }

  #answer(all: Fields): Answer {
    const fields = fieldsIn(all.dns);
    const rcode = textIn(fields?.rcode);
    const text = textIn(fields?.name);
    const hasFailed = rcode === 'SERVFAIL' || rcode === 'REFUSED';
    return {
      isAnswer: rcode !== '',
      // A refused dynamic update is an answer to another question.
      failure: hasFailed && fields?.opcode === undefined ? rcode : '',
      isMissing: rcode === 'NXDOMAIN',
      isFound: rcode === 'NOERROR',
      isForAddress: text !== '' && isForAddress(textIn(fields?.type)),
      asked: rcode === '' ? NO_NAME : this.#name(text),
    };
  }

  #name(text: string): AskedName {
    const known = this.#asked.get(text);
    if (known !== undefined) return known;
    const name = text.toLowerCase();
    const made = { name, isExpansion: isExpansion(name), state: this.names.get(name) };
    if (this.#asked.size < NAMES) this.#asked.set(text, made);
    return made;
  }
}

/** Clients whose queries get a search suffix that leads nowhere. */
function searchExpansions(
  context: FindingContext,
  expansions: Cases,
  names: ReadonlyMap<string, NameState>,
): Finding[] {
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
      message: `${client} asks DNS for names that cannot exist: ${queries({ missing: one.cases, asked: one.attempts })} had a search suffix appended and got NXDOMAIN.`,
      evidence: [
        one.evidence(`for example ${listed(texts, 2, one.areTextsCut)}`, 'dns.rcode == "NXDOMAIN"'),
        ...resolverOf(context, client),
      ],
      next: `Write names with a dot at their end (${bare(texts[0] ?? '') ?? 'name'}.), or set dnsConfig.options ndots to 1 in the pod.`,
      otherwise: undefined,
      cases: one.cases,
      attempts: one.attempts,
    });
  }
  return found;
}

/** Names that do not exist, nor with a search suffix. */
function missingNames(names: ReadonlyMap<string, NameState>): Finding[] {
  const found: Finding[] = [];
  const families = familiesOf(names);
  const resolved = new NearNames([...names].filter(([, state]) => state.resolved).map(([name]) => name));
  for (const [name, state] of names) {
    const family = families.get(name);
    // What holds for a name holds for it with a search suffix.
    if (family === undefined || family.resolved || state.missing < 1) continue;
    if (resolvesFurtherOn(name, names)) continue;
    // Browsers ask for random names, once each, to find out whether a resolver invents answers.
    if (!name.includes('.') && !family.expanded) continue;
    found.push({
      code: 'DNS_NAME_MISSING',
      severity: family.missing < MISSING_QUERIES ? 'warning' : 'error',
      confidence: 'proven',
      subject: name,
      message: `The name ${name} does not exist${family.expanded ? ', nor does it with a search suffix' : ''}: ${queries(family)} got NXDOMAIN${family.missing < family.asked ? ', none an address' : ''}.`,
      evidence: [
        {
          text: `asked by ${state.client}`,
          flows: [state.flow],
          times: [state.first, state.last],
          where: `dns.name == ${quoted(name)}`,
        },
      ],
      next: nearNames(name, resolved),
      otherwise: undefined,
      cases: family.missing,
      attempts: family.asked,
    });
  }
  return found;
}

/** Servers that answer with failures. @param silent those that do not answer at all: left out */
function failingServers(failures: Cases, silent: readonly Finding[]): Finding[] {
  const found: Finding[] = [];
  for (const [server, one] of failures.counting()) {
    // What gets no response at all is worse.
    if (silent.some(({ subject }) => subject === server)) continue;
    found.push({
      code: 'DNS_FAILS',
      severity: one.cases >= FAILED_QUERIES ? 'error' : 'warning',
      confidence: 'proven',
      subject: server,
      message: `The DNS server ${server} fails: ${one.cases} of ${one.attempts} responses were ${examplesOf(one)}.`,
      evidence: [one.evidence('these responses have no answer', 'dns.rcode in ["SERVFAIL", "REFUSED"]')],
      next: /\b(?:kube-dns|coredns)\b/.test(server)
        ? 'kubectl logs -n kube-system -l k8s-app=kube-dns'
        : `Look at the logs of ${server}, and at the servers that it asks in turn.`,
      otherwise: undefined,
      cases: one.cases,
      attempts: one.attempts,
    });
  }
  return found;
}

/** Servers whose answers take long. */
function slowServers(servers: ReadonlyMap<string, ServerState>): Finding[] {
  const found: Finding[] = [];
  for (const [server, { latencies }] of servers) {
    if (latencies === undefined) continue;
    const { histogram, flow, first, last } = latencies;
    const p95 = histogram.percentile(0.95);
    if (histogram.count < SLOW_QUERIES || p95 < SLOW_NS) continue;
    found.push({
      code: 'DNS_SLOW',
      severity: 'warning',
      confidence: 'proven',
      subject: server,
      message: `The DNS server ${server} is slow: 5 % of ${counted(histogram.count, 'response')} took ${span(p95)} or longer.`,
      evidence: [
        {
          text: `median ${span(histogram.percentile(0.5))}, longest ${span(histogram.max)}`,
          flows: [flow],
          times: [first, last],
          where: 'protocol == "dns" && latency > duration("100ms")',
        },
      ],
      next: "Check the server's CPU use and throttling, and the server that it forwards to.",
      otherwise: undefined,
      cases: histogram.count,
      attempts: histogram.count,
    });
  }
  return found;
}

/** What the state of a client's pod has of its resolv.conf. */
function resolverOf(context: FindingContext, client: string): Evidence[] {
  const pair = context.states.pairs().find(({ interfaceId }) => placeOf(context, interfaceId) === client);
  const resolver = pair?.last.state.resolver;
  if (resolver === undefined) return [];
  const text = `resolv.conf of ${client}: ndots ${resolver.ndots}, search ${resolver.search.join(' ') || 'nothing'}`;
  return [withoutPackets(text)];
}

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

/** Whether a name is one on the way through the search list: `web.shop` of another namespace resolves with the next suffix. */
function resolvesFurtherOn(name: string, names: ReadonlyMap<string, NameState>): boolean {
  const stem = SUFFIX.exec(name)?.[1];
  return (
    stem !== undefined &&
    [`${stem}.svc.cluster.local`, `${stem}.cluster.local`].some((other) => names.get(other)?.resolved === true)
  );
}

/** A name as it was asked for, together with what was asked for with something behind it. */
interface NameFamily {
  missing: number;
  asked: number;
  resolved: boolean;
  /** Was asked for with a suffix too. */
  expanded: boolean;
}

/** The shortest names: a name of which the first labels were asked for on their own is that name with a search suffix. */
function familiesOf(names: ReadonlyMap<string, NameState>): Map<string, NameFamily> {
  const families = new Map<string, NameFamily>();
  for (const [name, { missing, asked, resolved }] of names) {
    const base = shortest(name, names);
    const family = families.get(base) ?? { missing: 0, asked: 0, resolved: false, expanded: false };
    families.set(base, family);
    family.missing += missing;
    family.asked += asked;
    family.resolved ||= resolved;
    family.expanded ||= base !== name;
  }
  return families;
}

/** The first labels of a name that were asked for on their own; the name where none were. */
function shortest(name: string, names: ReadonlyMap<string, NameState>): string {
  for (let dot = name.indexOf('.'); dot > 0; dot = name.indexOf('.', dot + 1)) {
    const stem = name.slice(0, dot);
    if (names.has(stem)) return stem;
  }
  return name;
}

/** `3 of 40 queries`, `all 3 queries`. */
function queries({ missing, asked }: Pick<NameFamily, 'missing' | 'asked'>): string {
  return share({ cases: missing, attempts: asked }, 'query');
}

/** Whether a query looks for an address: other records of a name may be missing. */
function isForAddress(type: string): boolean {
  return type === 'A' || type === 'AAAA';
}

/** What to look at where a name does not exist: names that resolve and differ by little, if there are any. */
function nearNames(name: string, resolved: NearNames): string {
  const near = resolved.to(name);
  const service = /^([a-z0-9-]+)\.([a-z0-9-]+)\.svc(?:\.|$)/.exec(name);
  if (near.length > 0) return `Did you mean ${listed(near)}?`;
  if (service !== null) return `kubectl get services -n ${service[2]}`;
  return 'Check how the name is written, and the namespace in it.';
}

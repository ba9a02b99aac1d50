import type { ClusterFacts } from '../cluster-facts.ts';
import { type Finding, severityRank, withoutPackets } from '../finding.ts';
import { listed, share } from '../words.ts';
import { hasReadyEndpoint, selectedPods } from './subject.ts';

/** What a finding of the objects explains of what packets show about the same subject. */
const EXPLAINS: Readonly<Record<string, readonly string[]>> = {
  SERVICE_SELECTOR_EMPTY: ['SERVICE_NO_ENDPOINTS', 'CONNECT_TIMEOUT', 'POD_NOT_LISTENING', 'DNS_FAILS'],
  SERVICE_NO_ENDPOINTS: ['SERVICE_NO_ENDPOINTS', 'CONNECT_TIMEOUT', 'POD_NOT_LISTENING', 'DNS_FAILS'],
  SERVICE_TARGETPORT_MISMATCH: ['SERVICE_NO_ENDPOINTS', 'CONNECT_TIMEOUT', 'POD_NOT_LISTENING'],
  SERVICE_PORT_MISSING: ['SERVICE_NO_ENDPOINTS', 'CONNECT_TIMEOUT'],
  STALE_ENDPOINT: ['CONNECT_TIMEOUT'],
  NETWORK_POLICY_DROPS: ['NETWORK_POLICY_DROPS', 'CONNECT_TIMEOUT'],
  TRAFFIC_POLICY_NO_LOCAL_ENDPOINT: ['CONNECT_TIMEOUT'],
};

const EXPLAINED: ReadonlySet<string> = new Set(Object.values(EXPLAINS).flat());

/** Subjects of findings of packets that objects may explain. */
export function suspects(packets: readonly Finding[]): Set<string> {
  return new Set(packets.filter(({ code }) => EXPLAINED.has(code)).map(({ subject }) => subject));
}

/** Findings of a live diagnosis, by where they come from. */
export interface FindingSources {
  /** Of the objects as they are at the end. */
  readonly objects: readonly Finding[];
  /** Of the objects as they were before the capture. */
  readonly before: readonly Finding[];
  /** Of packets with the objects. */
  readonly blocked: readonly Finding[];
  readonly packets: readonly Finding[];
}

/**
 * One list, the worst first, and of the same severity those of objects first: findings of one cause are one, the objects' with the
 * packets as evidence.
 */
export function mergeFindings(
  { objects, before, blocked, packets }: FindingSources,
  facts: ClusterFacts | undefined,
): Finding[] {
  const refined = packets.map(
    (finding) => (facts && (wrongTargetPort(finding, facts) ?? refuted(finding, facts))) ?? finding,
  );
  const past = before
    .filter((finding) => !objects.some((now) => isSame(now, finding)))
    .map((finding) => asPast(finding, refined));
  // What packets prove says more than the objects alone do.
  const alone = objects.filter((finding) => !blocked.some((one) => isSame(one, finding)));
  const causes = [...alone, ...past, ...blocked];
  const explained = new Set<Finding>();
  const merged = causes.map((cause) => {
    const consequences = refined.filter(
      (finding) => finding.subject === cause.subject && EXPLAINS[cause.code]?.includes(finding.code),
    );
    for (const consequence of consequences) explained.add(consequence);
    const [first] = consequences;
    if (first === undefined || blocked.includes(cause)) return cause;
    const { cases, attempts } = first;
    return {
      ...cause,
      evidence: [...cause.evidence, ...consequences.flatMap(({ evidence }) => evidence)],
      cases,
      attempts,
    };
  });
  const rest = refined.filter((finding) => !explained.has(finding));
  const rank = ({ severity }: Finding) => severityRank(severity);
  // Sorting is stable: of the same rank the objects' stay first.
  return [...merged, ...rest].sort((a, b) => rank(a) - rank(b));
}

function isSame(one: Finding, other: Finding): boolean {
  return one.code === other.code && one.subject === other.subject;
}

/** What was wrong before the capture and is no longer: it explains packets, and else is worth a note. */
function asPast(finding: Finding, packets: readonly Finding[]): Finding {
  const explains = packets.some(
    ({ code, subject }) => subject === finding.subject && EXPLAINS[finding.code]?.includes(code),
  );
  return {
    ...finding,
    severity: explains ? 'warning' : 'information',
    message: `Before the capture: ${finding.message}`,
    evidence: [...finding.evidence, withoutPackets('true when the capture began, no longer true when it ended')],
    otherwise: undefined,
  };
}

/** Packets look as if a Service had no endpoints, and its objects have some that are ready. */
function refuted(finding: Finding, facts: ClusterFacts): Finding | undefined {
  const { services } = facts;
  if (finding.code !== 'SERVICE_NO_ENDPOINTS' || services === 'unreadable') return undefined;
  const service = services.find(({ name, namespace }) => `${name}.${namespace}` === finding.subject);
  if (service === undefined || hasReadyEndpoint(service, facts) !== true) return undefined;
  return {
    ...finding,
    confidence: 'hint',
    message: `Connections to ${finding.subject} are rejected on the way: ${share(finding, 'connection')} got an ICMP rejection.`,
    evidence: [withoutPackets('its EndpointSlices have endpoints that are ready'), ...finding.evidence],
    otherwise: 'its endpoints were not ready at that time, or a firewall rejects the connections',
  };
}

/**
 * SERVICE_TARGETPORT_MISMATCH of a number: connections are refused, the Service's targetPorts are numbers, and none of them is
 * among the ports that its pods declare.
 */
function wrongTargetPort(finding: Finding, { services, pods }: ClusterFacts): Finding | undefined {
  if (finding.code !== 'POD_NOT_LISTENING' || services === 'unreadable' || pods === 'unreadable') return undefined;
  const service = services.find(({ name, namespace }) => `${name}.${namespace}` === finding.subject);
  if (service === undefined) return undefined;
  const selected = selectedPods(service, pods);
  const declared = selected.map(({ ports }) =>
    ports.filter(({ protocol }) => protocol === 'TCP').map(({ port }) => port),
  );
  const targets = service.ports
    .filter(({ protocol }) => protocol === 'TCP')
    .map(({ port, targetPort = port }) => targetPort);
  const [target] = targets;
  if (target === undefined || declared.length === 0 || declared.some((ports) => ports.length === 0)) return undefined;
  if (targets.some((one) => typeof one !== 'number' || declared.some((ports) => ports.includes(one)))) return undefined;
  const { namespace, name } = service;
  const shown = [...new Set(declared.flat())].map(String);
  return {
    ...finding,
    code: 'SERVICE_TARGETPORT_MISMATCH',
    confidence: 'likely',
    message: `${finding.subject} forwards to port ${listed(targets.map(String))} of its pods. They refuse it, and declare port ${listed(shown, 3)}.`,
    next: `kubectl edit service -n ${namespace} ${name}`,
    otherwise: 'the program in the pods does not run, or listens on 127.0.0.1 alone',
  };
}

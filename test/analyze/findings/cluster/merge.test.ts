import { expect, test } from 'vitest';
import { clusterFindings } from '../../../../src/analyze/findings/cluster/index.ts';
import { mergeFindings } from '../../../../src/analyze/findings/cluster/merge.ts';
import type { Finding } from '../../../../src/analyze/findings/finding.ts';
import { facts, podFacts, SERVER, serviceFacts, sliceFacts } from './facts.ts';

function finding(code: string, subject: string, more: Partial<Finding> = {}): Finding {
  return {
    code,
    severity: 'error',
    confidence: 'proven',
    subject,
    message: `${subject} ${code}.`,
    evidence: [{ text: `of ${code}`, flows: [], times: undefined, where: undefined }],
    next: '',
    otherwise: undefined,
    cases: 1,
    attempts: 1,
    ...more,
  };
}

const none = { objects: [], before: [], blocked: [], packets: [] };
const shown = (list: readonly Finding[]) => list.map(({ code, severity, subject }) => `${severity} ${code} ${subject}`);

test('the objects come first, with the packets as evidence', () => {
  const packets = [
    finding('DNS_FAILS', 'dns.kube-system', { cases: 90 }),
    finding('SERVICE_NO_ENDPOINTS', 'web.shop', { cases: 7, attempts: 9 }),
  ];
  const list = mergeFindings({ ...none, objects: [finding('SERVICE_SELECTOR_EMPTY', 'web.shop')], packets }, undefined);
  expect(shown(list)).toEqual(['error SERVICE_SELECTOR_EMPTY web.shop', 'error DNS_FAILS dns.kube-system']);
  expect(list[0]).toMatchObject({ cases: 7, attempts: 9 });
  expect(list[0]?.evidence.map(({ text }) => text)).toEqual(['of SERVICE_SELECTOR_EMPTY', 'of SERVICE_NO_ENDPOINTS']);
});

test('findings of other subjects stay', () => {
  const packets = [finding('CONNECT_TIMEOUT', 'cache.shop')];
  const objects = [finding('SERVICE_NO_ENDPOINTS', 'web.shop', { severity: 'warning' })];
  expect(shown(mergeFindings({ ...none, objects, packets }, undefined))).toEqual([
    'error CONNECT_TIMEOUT cache.shop',
    'warning SERVICE_NO_ENDPOINTS web.shop',
  ]);
});

test('what was wrong before the capture alone is a note, or the cause of what packets show', () => {
  const before = [finding('SERVICE_NO_ENDPOINTS', 'web.shop')];
  expect(shown(mergeFindings({ ...none, before }, undefined))).toEqual(['information SERVICE_NO_ENDPOINTS web.shop']);
  const packets = [finding('CONNECT_TIMEOUT', 'web.shop')];
  const explained = mergeFindings({ ...none, before, packets }, undefined);
  expect(shown(explained)).toEqual(['warning SERVICE_NO_ENDPOINTS web.shop']);
  expect(explained[0]?.message).toBe('Before the capture: web.shop SERVICE_NO_ENDPOINTS.');
});

test('a policy that packets prove takes the place of the hint', () => {
  const objects = [finding('NETWORK_POLICY_DROPS', 'web.shop', { severity: 'warning', confidence: 'hint' })];
  const blocked = [finding('NETWORK_POLICY_DROPS', 'web.shop')];
  const packets = [finding('CONNECT_TIMEOUT', 'web.shop')];
  expect(shown(mergeFindings({ ...none, objects, blocked, packets }, undefined))).toEqual([
    'error NETWORK_POLICY_DROPS web.shop',
  ]);
});

test('a refused port that the pods do not declare is a wrong targetPort', () => {
  const ports = (targetPort: number) => [{ name: 'http', port: 80, protocol: 'TCP', targetPort, nodePort: undefined }];
  const packets = [finding('POD_NOT_LISTENING', 'web.shop')];
  const wrong = facts({ services: [serviceFacts({ ports: ports(9999) })] });
  const [first] = mergeFindings({ ...none, packets }, wrong);
  expect(first).toMatchObject({ code: 'SERVICE_TARGETPORT_MISMATCH', confidence: 'likely' });
  const right = facts({ services: [serviceFacts({ ports: ports(8080) })] });
  expect(shown(mergeFindings({ ...none, packets }, right))).toEqual(['error POD_NOT_LISTENING web.shop']);
  const undeclared = { ...wrong, pods: [podFacts('web-1', SERVER, 'node2', { ports: [] })] };
  expect(shown(mergeFindings({ ...none, packets }, undeclared))).toEqual(['error POD_NOT_LISTENING web.shop']);
});

test('packets that look as if there were no endpoints are a hint where endpoints are ready', () => {
  const packets = [finding('SERVICE_NO_ENDPOINTS', 'web.shop', { confidence: 'likely' })];
  const [ready] = mergeFindings({ ...none, packets }, facts());
  expect(ready).toMatchObject({
    confidence: 'hint',
    message: expect.stringMatching(/^Connections to web\.shop are rejected/),
  });
  const [unread] = mergeFindings({ ...none, packets }, facts({ endpointSlices: 'unreadable' }));
  expect(unread).toMatchObject({ confidence: 'likely' });
});

test('a port that the Service does not have explains what packets show', () => {
  const blocked = [finding('SERVICE_PORT_MISSING', 'web.shop')];
  const packets = [finding('SERVICE_NO_ENDPOINTS', 'web.shop')];
  expect(shown(mergeFindings({ ...none, blocked, packets }, facts()))).toEqual(['error SERVICE_PORT_MISSING web.shop']);
});

const all = { isService: () => true, isIngress: () => true };

test('an endpoint whose pod does not exist is stale after 10 s', () => {
  const stale = facts({ endpointSlices: [sliceFacts('gone-1', 'node2', '10.244.2.99'), sliceFacts()] });
  const later = (seconds: number) => ({ ...stale, at: stale.at + BigInt(seconds) * 1_000_000_000n });
  const found = (seconds: number, before = stale) => shown(clusterFindings(later(seconds), all, { before }));
  expect(found(11)).toEqual(['error STALE_ENDPOINT web.shop']);
  expect(found(9)).toEqual([]);
  expect(found(11, facts())).toEqual([]);
});

test('a pod that becomes ready and unready again', () => {
  const readiness = (changes: number) => [{ namespace: 'shop', pod: 'web-1', changes }];
  const found = (changes: number) => shown(clusterFindings(facts(), all, { readiness: readiness(changes) }));
  expect(found(2)).toEqual(['warning READINESS_FLAPPING web.shop']);
  expect(found(1)).toEqual([]);
});

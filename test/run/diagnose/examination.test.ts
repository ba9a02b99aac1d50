import { afterEach, expect, test } from 'vitest';
import { AnalysisSession } from '../../../src/analyze/engine/session.ts';
import type { Finding } from '../../../src/analyze/findings/finding.ts';
import { completePackets } from '../../../src/cli/capture/options.ts';
import { openQuery } from '../../../src/run/capture/find-targets.ts';
import { Diagnosis } from '../../../src/run/diagnose/diagnosis.ts';
import { plainSettings } from '../../support/analysis-session.ts';
import { type ApiServer, json, startApiServer, status } from '../../support/api-server.ts';
import { builtPcap } from '../../support/built-capture.ts';
import { issue, makeAuthority } from '../../support/certificates.ts';

let server: ApiServer;
afterEach(() => server.close());

const named = (name: string, labels: object = {}) => ({ name, namespace: 'shop', labels });
const service = (name: string, selector: object, targetPort: unknown = 8080) => ({
  metadata: named(name),
  spec: { selector, ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort }] },
});
const pod = (name: string, labels: object, isReady = true) => ({
  metadata: named(name, labels),
  spec: { containers: [{ ports: [{ name: 'web', containerPort: 8080 }] }] },
  status: {
    phase: 'Running',
    conditions: isReady ? [] : [{ type: 'Ready', status: 'False', reason: 'ContainersNotReady' }],
  },
});
const slice = (serviceName: string, ready: unknown) => ({
  metadata: named(`${serviceName}-x`, { 'kubernetes.io/service-name': serviceName }),
  endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready } }],
});
const ingress = (backend: object) => ({
  metadata: named('front'),
  spec: { rules: [{ host: 'shop.example', http: { paths: [{ path: '/a', backend: { service: backend } }] } }] },
});

async function examinedFindings(target: string, objects: Readonly<Record<string, readonly object[] | undefined>>) {
  return (await examinedWhole(target, objects)).findings;
}

async function examined(target: string, objects: Readonly<Record<string, readonly object[] | undefined>>) {
  const { findings, unread } = await examinedWhole(target, objects);
  const evidence = findings.flatMap((finding) => finding.evidence.map(({ text }) => text));
  return { codes: findings.map(({ code, subject }) => `${code} ${subject}`), evidence, unread };
}

/** @param objects by plural: what is listed; a kind that is missing is answered 403 */
async function examinedWhole(target: string, objects: Readonly<Record<string, readonly object[] | undefined>>) {
  server = await startApiServer({
    onRequest: (request, response) => {
      const words = new URL(request.url ?? '', 'https://x').pathname.split('/');
      const plural = words.at(-1) ?? '';
      if (words.at(-2) === 'ingressclasses' && objects.ingressclasses !== undefined) {
        const found = objects.ingressclasses.find((one) => JSON.stringify(one).includes(`"${plural}"`));
        return found === undefined ? json(response, 404, status(404, 'NotFound', 'no')) : json(response, 200, found);
      }
      if (words.at(-2) === 'secrets' && objects.secrets !== undefined) {
        const [found] = objects.secrets;
        return found === undefined ? json(response, 404, status(404, 'NotFound', 'no')) : json(response, 200, found);
      }
      const items = objects[plural];
      if (items === undefined) return json(response, 403, status(403, 'Forbidden', 'no'));
      json(response, 200, { items });
    },
  });
  const config = completePackets([target], { namespace: 'shop', kubeconfig: server.kubeconfig(), interface: 'any' });
  const { signal } = new AbortController();
  const diagnosis = new Diagnosis(await openQuery(config, signal));
  const first = await diagnosis.examine(signal);
  await diagnosis.conclude(signal);
  const findings = diagnosis.findings();
  // What is printed first is what the report has.
  const named = ({ code, subject, severity }: Finding) => `${severity} ${code} ${subject}`;
  expect(first.map(named)).toEqual(findings.map(named));
  const { unread } = diagnosis;
  await diagnosis.close();
  return { findings, unread };
}

/** Namespaces whose objects are read when SYNs to a server get no response. @param name as DNS called its address */
async function namespacesRead(name: string): Promise<readonly string[]> {
  server = await startApiServer({ onRequest: (_, response) => json(response, 200, { items: [] }) });
  const config = completePackets(['svc/web'], { namespace: 'shop', kubeconfig: server.kubeconfig(), interface: 'any' });
  const { signal } = new AbortController();
  const diagnosis = new Diagnosis(await openQuery(config, signal));
  await diagnosis.examine(signal);
  const session = new AnalysisSession(diagnosis.live.kind, plainSettings());
  session.names.addObserved('10.0.0.2', name, 0);
  session.push(builtPcap([0, 1000, 3000].map((at) => ({ side: 0, sequence: 100, flags: 'S', at }))));
  session.end();
  await diagnosis.conclude(signal);
  await diagnosis.close();
  await server.close();
  return diagnosis.namespaces;
}

test('objects of the Services that fail are read, and none for a host whose name looks like one', async () => {
  expect(await namespacesRead('db.data.svc.cluster.local')).toEqual(['shop', 'data']);
  expect(await namespacesRead('github.com')).toEqual(['shop']);
});

const healthy = {
  services: [service('web', { app: 'web' }, 'web')],
  pods: [pod('web-1', { app: 'web' })],
  endpointslices: [slice('web', true)],
  ingresses: [ingress({ name: 'web', port: { name: 'http' } })],
  networkpolicies: [],
};

test.each(['svc/web', 'ingress/front', 'svc/*'])('nothing is wrong with a healthy Service: %s', async (target) => {
  expect(await examined(target, healthy)).toEqual({ codes: [], evidence: [], unread: [] });
});

test('an endpoint without a condition is ready', async () => {
  const { codes } = await examined('svc/web', { ...healthy, endpointslices: [slice('web', undefined)] });
  expect(codes).toEqual([]);
});

test('a Service whose pods are not ready', async () => {
  const { codes, evidence } = await examined('svc/web', {
    ...healthy,
    pods: [pod('web-1', { app: 'web' }, false)],
    endpointslices: [slice('web', false)],
  });
  expect(codes).toEqual(['SERVICE_NO_ENDPOINTS web.shop']);
  expect(evidence).toContain('1 pod selected: web-1 is not ready (ContainersNotReady)');
});

test('a selector with a typing error names the pods it nearly matches, and explains the missing endpoints', async () => {
  const { codes, evidence } = await examined('svc/web', {
    ...healthy,
    services: [service('web', { app: 'wbe' })],
    pods: [pod('web-1', { app: 'web' }), pod('cache-1', { app: 'cache' })],
    endpointslices: [],
  });
  expect(codes).toEqual(['SERVICE_SELECTOR_EMPTY web.shop']);
  expect(evidence).toEqual([
    'no pod of namespace shop has the labels app=wbe',
    'pods whose labels differ in one: web-1 (app=web)',
  ]);
});

test('a Service without a selector has no empty selector', async () => {
  const { codes } = await examined('svc/web', { ...healthy, services: [service('web', {})], endpointslices: [] });
  expect(codes).toEqual(['SERVICE_NO_ENDPOINTS web.shop']);
});

test('a named targetPort that no pod declares; a number needs no declaration', async () => {
  const wrong = await examined('svc/web', { ...healthy, services: [service('web', { app: 'web' }, 'http')] });
  expect(wrong.codes).toEqual(['SERVICE_TARGETPORT_MISMATCH web.shop']);
  expect(wrong.evidence).toEqual(['pods such as web-1 declare web 8080/TCP']);
  await server.close();
  const number = await examined('svc/web', { ...healthy, services: [service('web', { app: 'web' }, 9999)] });
  expect(number.codes).toEqual([]);
});

test('an Ingress that leads to a missing Service, or to a missing port', async () => {
  const missing = await examined('ingress/front', { ...healthy, ingresses: [ingress({ name: 'wep' })] });
  expect(missing.codes).toEqual(['INGRESS_BACKEND_MISSING shop/front']);
  await server.close();
  const port = await examined('svc/web', {
    ...healthy,
    ingresses: [ingress({ name: 'web', port: { number: 81 } }), ingress({ name: 'other' })],
  });
  expect(port.codes).toEqual(['INGRESS_BACKEND_MISSING shop/front']);
  expect(port.evidence).toContain('web has http 80');
});

test('an Ingress whose class does not exist; nothing follows where classes may not be read', async () => {
  const ofClass = {
    ...ingress({ name: 'web' }),
    spec: { ...ingress({ name: 'web' }).spec, ingressClassName: 'ngnix' },
  };
  const objects = { ...healthy, ingresses: [ofClass] };
  const absent = await examined('ingress/front', { ...objects, ingressclasses: [named('nginx')] });
  expect(absent.codes).toEqual(['INGRESS_BACKEND_MISSING shop/front']);
  expect(absent.evidence).toEqual(['the cluster has no IngressClass ngnix']);
  await server.close();
  const there = await examined('ingress/front', { ...objects, ingressclasses: [named('ngnix')] });
  expect([there.codes, there.unread]).toEqual([[], []]);
  await server.close();
  const unread = await examined('ingress/front', objects);
  expect(unread.codes).toEqual([]);
  expect(unread.unread.join()).toContain('ingressclasses');
});

test('the TLS Secret of an Ingress: absent, without certificate, past its end, ending soon, or not to be read', async () => {
  const day = 86_400_000;
  const authority = makeAuthority('shop');
  const secret = (until: number, from = until - 90 * day) => {
    const dates = { from: new Date(from), until: new Date(until) };
    const { certificate, key } = issue(authority, { name: 'shop', ...dates });
    const data = {
      'tls.crt': Buffer.from(certificate).toString('base64'),
      'tls.key': Buffer.from(key).toString('base64'),
    };
    return { metadata: named('front-tls'), data };
  };
  const plain = ingress({ name: 'web', port: { name: 'http' } });
  const ingresses = [{ ...plain, spec: { ...plain.spec, tls: [{ secretName: 'front-tls' }] } }];
  const of = async (secrets: object[] | undefined, target = 'ingress/front') => {
    const { findings, unread } = await examinedWhole(target, { ...healthy, ingresses, secrets });
    await server.close();
    return { shown: findings.map(({ code, severity, message }) => `${code} ${severity} ${message}`), unread };
  };
  const now = Date.now();
  const text = (at: number) => new Date(at).toISOString().slice(0, 10);
  expect((await of([secret(now + 80 * day)])).shown).toEqual([]);
  expect((await of([secret(now - day)])).shown).toEqual([
    `TLS_CERTIFICATE_EXPIRED error The certificate of Ingress shop/front has expired: it was valid until ${text(now - day)}.`,
  ]);
  // A Service that the Ingress leads to is asked about.
  expect((await of([secret(now + 5 * day)], 'svc/web')).shown).toEqual([
    `TLS_CERTIFICATE_EXPIRED warning The certificate of Ingress shop/front expires soon: it is valid until ${text(now + 5 * day)}.`,
  ]);
  expect((await of([secret(now + 5 * day, now - day)])).shown).toEqual([]);
  expect((await of([])).shown).toEqual([
    'INGRESS_BACKEND_MISSING error Ingress shop/front names the TLS Secret front-tls, which does not exist.',
  ]);
  const broken = { metadata: named('front-tls'), data: { 'tls.crt': 'AAAA' } };
  expect((await of([broken])).shown).toEqual([
    'INGRESS_BACKEND_MISSING error Ingress shop/front names the TLS Secret front-tls, which has no certificate (tls.crt).',
  ]);
  const refused = await of(undefined);
  expect(refused.shown).toEqual([]);
  expect(refused.unread).toEqual([expect.stringMatching(/^Certificates of Ingresses were not checked: .*secrets/)]);
});

test('NetworkPolicies that admit nobody to the port of a Service are a hint', async () => {
  const denied = (ingress: object[]) => ({ metadata: named('deny'), spec: { podSelector: {}, ingress } });
  const { codes, evidence } = await examined('svc/web', { ...healthy, networkpolicies: [denied([])] });
  expect(codes).toEqual(['NETWORK_POLICY_DROPS web.shop']);
  expect(evidence).toEqual(['no rule of NetworkPolicy deny allows traffic to the port']);
  await server.close();
  const other = await examined('svc/web', { ...healthy, networkpolicies: [denied([{ ports: [{ port: 9090 }] }])] });
  expect(other.codes).toEqual(['NETWORK_POLICY_DROPS web.shop']);
  await server.close();
  const open = await examined('svc/web', {
    ...healthy,
    networkpolicies: [denied([]), denied([{ ports: [{ port: 'web' }] }])],
  });
  expect(open.codes).toEqual([]);
});

test('nothing follows from what may not be read, and the missing rule is named', async () => {
  const { codes, unread } = await examined('svc/web', { services: [service('web', { app: 'no' })] });
  expect(codes).toEqual([]);
  expect(unread).toHaveLength(4);
  expect(unread.join('\n')).toContain('endpointslices');
});

test('objects that are not as the API has them do no harm', async () => {
  const odd = [{}, { metadata: 7, spec: [], status: 'x' }, { metadata: named('web'), spec: { ports: [1, {}] } }];
  const { codes } = await examined('svc/web', {
    services: odd,
    pods: odd,
    endpointslices: odd,
    ingresses: odd,
    networkpolicies: odd,
  });
  expect(codes).toEqual(['SERVICE_NO_ENDPOINTS web.shop']);
});

test('of targets of other kinds nothing is found, but their traffic is judged with the objects', async () => {
  const { codes, unread } = await examined('pod/web-1', {
    ...healthy,
    endpointslices: [slice('web', false)],
    services: undefined,
  });
  expect(codes).toEqual([]);
  expect(unread).toEqual([expect.stringContaining('["services"]')]);
});

test('pods that were created just now may be starting: a warning', async () => {
  const starting = pod('web-1', { app: 'web' }, false);
  const made = (at: number) => ({
    ...starting,
    metadata: { ...starting.metadata, creationTimestamp: new Date(at).toISOString() },
  });
  const young = await examinedFindings('svc/web', { ...healthy, pods: [made(Date.now() - 5000)], endpointslices: [] });
  expect(young.map(({ code, severity }) => `${code} ${severity}`)).toEqual(['SERVICE_NO_ENDPOINTS warning']);
  expect(young[0]?.otherwise).toContain('starting');
  await server.close();
  const old = await examinedFindings('svc/web', { ...healthy, pods: [made(Date.now() - 600_000)], endpointslices: [] });
  expect(old.map(({ code, severity }) => `${code} ${severity}`)).toEqual(['SERVICE_NO_ENDPOINTS error']);
  await server.close();
  const failing = {
    ...made(Date.now()),
    status: { ...starting.status, containerStatuses: [{ state: { waiting: { reason: 'CrashLoopBackOff' } } }] },
  };
  const crashing = await examinedFindings('svc/web', { ...healthy, pods: [failing], endpointslices: [] });
  expect(crashing[0]?.severity).toBe('error');
  expect(crashing[0]?.evidence.at(-1)?.text).toContain('web-1 is not ready (CrashLoopBackOff)');
});

test('a Service that was created just now may wait for its workload, unless its selector has a typing error', async () => {
  const young = (selector: object) => {
    const made = service('web', selector);
    return { ...made, metadata: { ...made.metadata, creationTimestamp: new Date().toISOString() } };
  };
  const waits = await examinedFindings('svc/web', {
    ...healthy,
    services: [young({ app: 'other' })],
    endpointslices: [],
  });
  expect(waits.map(({ code, severity }) => `${code} ${severity}`)).toEqual(['SERVICE_SELECTOR_EMPTY warning']);
  await server.close();
  const typo = await examinedFindings('svc/web', { ...healthy, services: [young({ app: 'wbe' })], endpointslices: [] });
  expect(typo.map(({ code, severity }) => `${code} ${severity}`)).toEqual(['SERVICE_SELECTOR_EMPTY error']);
});

test('events say why pods are not ready, the last of each reason, and are read only then', async () => {
  const event = (reason: string, message: string, at: string, name = 'web-1') => ({
    involvedObject: { kind: 'Pod', namespace: 'shop', name },
    ...{ reason, message, count: 3, lastTimestamp: at },
  });
  const objects = {
    services: [service('web', { app: 'web' })],
    endpointslices: [slice('web', false)],
    ingresses: [],
    networkpolicies: [],
  };
  const killed = {
    ...pod('web-1', { app: 'web' }, false),
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'False', reason: 'ContainersNotReady' }],
      containerStatuses: [{ lastState: { terminated: { reason: 'OOMKilled' } } }],
    },
  };
  const events = [
    event('Unhealthy', 'Readiness probe failed: old', '2026-01-01T00:00:00Z'),
    event('Unhealthy', 'Readiness probe failed: statuscode: 503\nsecond line', '2026-01-01T00:01:00Z'),
    event('BackOff', 'Back-off restarting failed container', '2026-01-01T00:00:30Z'),
    event('Failed', 'of another pod', '2026-01-01T00:09:00Z', 'other'),
  ];
  const { evidence, unread } = await examined('svc/web', { ...objects, pods: [killed], events });
  expect(evidence.slice(1)).toEqual([
    '1 pod selected: web-1 is not ready (ContainersNotReady, before: OOMKilled)',
    'event of web-1, 3 times: Unhealthy: Readiness probe failed: statuscode: 503',
    'event of web-1, 3 times: BackOff: Back-off restarting failed container',
  ]);
  expect(unread).toEqual([]);
  server.close();
  const refused = await examined('svc/web', { ...objects, pods: [killed] });
  expect(refused.unread).toEqual([expect.stringContaining('events')]);
  server.close();
  const ready = await examined('svc/web', { ...objects, pods: [pod('web-1', { app: 'web' })] });
  expect(ready.unread).toEqual([]);
});

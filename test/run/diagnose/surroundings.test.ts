import { afterEach, expect, test } from 'vitest';
import { completePackets } from '../../../src/cli/capture/options.ts';
import { findOpened, openQuery } from '../../../src/run/capture/find-targets.ts';
import { Diagnosis } from '../../../src/run/diagnose/diagnosis.ts';
import { withSurroundings } from '../../../src/run/diagnose/surroundings.ts';
import { type ApiServer, json, startApiServer, status } from '../../support/api-server.ts';

let server: ApiServer;
afterEach(() => server.close());

const named = (name: string, namespace = 'shop') => ({ name, namespace, uid: name });
const ingress = (name: string, service: string) => ({
  metadata: named(name),
  spec: { rules: [{ http: { paths: [{ backend: { service: { name: service, port: { number: 80 } } } }] } }] },
});
const DNS = { metadata: named('kube-dns', 'kube-system'), spec: { selector: { app: 'dns' }, ports: [] } };

/** @param dns what is answered for the Service of the cluster's DNS */
async function opened(dns: object | 403 | 404) {
  server = await startApiServer({
    onRequest: (request, response) => {
      const { pathname } = new URL(request.url ?? '', 'https://x');
      if (pathname.endsWith('/kube-system/services/kube-dns')) {
        if (dns === 403) return json(response, 403, status(403, 'Forbidden', 'no'));
        if (dns === 404) return json(response, 404, status(404, 'NotFound', 'no'));
        return json(response, 200, dns);
      }
      const isIngresses = pathname.endsWith('/shop/ingresses');
      json(response, 200, { items: isIngresses ? [ingress('front', 'web'), ingress('back', 'api')] : [] });
    },
  });
  const config = completePackets(['svc/web'], { namespace: 'shop', kubeconfig: server.kubeconfig(), interface: 'any' });
  const { signal } = new AbortController();
  const query = await openQuery(config, signal);
  const diagnosis = new Diagnosis(query);
  await diagnosis.examine(signal);
  const wider = await withSurroundings(query, diagnosis.before, signal);
  await diagnosis.close();
  return { ...wider, config, signal };
}

test('the Ingresses that lead to the target, and DNS', async () => {
  const { opened: wider, notes } = await opened(DNS);
  expect(notes).toEqual([]);
  expect(wider.query.refs).toEqual([
    { kind: 'svc', name: 'web' },
    { kind: 'ingress', name: 'front', namespace: 'shop' },
    { kind: 'service', name: 'kube-dns', namespace: 'kube-system' },
  ]);
});

test('a target that has its namespace is searched there alone', async () => {
  const { opened: wider, config, signal } = await opened(DNS);
  const plan = await findOpened(wider, config, signal);
  plan.close();
  const asked = server.seen.filter((line) => line.includes('kube-dns') || line.includes('/ingresses/front'));
  expect(asked.every((line) => /kube-system\/services\/kube-dns|\/shop\/ingresses\/front/.test(line))).toBe(true);
  expect(server.seen.filter((line) => line.includes('/kube-system/pods?'))).not.toEqual([]);
  expect(server.seen.filter((line) => line.includes('/shop/services/kube-dns'))).toEqual([]);
});

test.each([
  [404, /there is no Service kube-system\/kube-dns/],
  [403, /"services"/],
] as const)('DNS that cannot be read (%i) is named', async (dns, reason) => {
  const { opened: wider, notes } = await opened(dns);
  expect(notes.join()).toMatch(/DNS is not captured/);
  expect(notes.join()).toMatch(reason);
  expect(wider.query.refs).toHaveLength(2);
});

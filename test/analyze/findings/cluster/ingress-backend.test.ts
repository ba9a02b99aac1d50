import { expect, test } from 'vitest';
import { ingressBackend } from '../../../../src/analyze/findings/cluster/ingress-backend.ts';
import type { IngressFacts } from '../../../../src/analyze/findings/cluster-facts.ts';
import { facts } from './facts.ts';

const ALL = { isIngress: () => true, isService: () => true };

/** An Ingress with one rule. */
function ingress(backend: Partial<IngressFacts['backends'][number]>, className = 'nginx'): IngressFacts {
  return {
    ...{ namespace: 'shop', name: 'front', className, tlsSecrets: [] },
    backends: [{ host: 'shop.test', path: '/', service: 'web', port: 80, ...backend }],
  };
}

const COUNTED = { code: 'INGRESS_BACKEND_MISSING', severity: 'error', confidence: 'proven', cases: 1, attempts: 1 };

test('an Ingress whose class, Service and port exist is none', () => {
  for (const port of [80, 'http', undefined]) expect(ingressBackend(ingress({ port }), facts(), ALL)).toEqual([]);
  const none = { isIngress: () => false, isService: () => false };
  expect(ingressBackend(ingress({ service: 'gone' }), facts(), none)).toEqual([]);
  expect(ingressBackend(ingress({ service: 'gone' }), facts({ services: 'unreadable' }), ALL)).toEqual([]);
});

test.each([
  [
    ingress({ service: 'gone' }),
    'Ingress shop/front leads to the Service gone, which does not exist.',
    ['the rule is for shop.test, path /'],
  ],
  [
    ingress({ port: 81, host: undefined, path: undefined }),
    'Ingress shop/front leads to port 81 of the Service web, which does not have it.',
    ['the rule is for any host, path /', 'web has http 80'],
  ],
  [
    ingress({ port: 'https' }),
    'Ingress shop/front leads to port https of the Service web, which does not have it.',
    ['the rule is for shop.test, path /', 'web has http 80'],
  ],
  [
    ingress({}, 'haproxy'),
    'Ingress shop/front names the class haproxy, which does not exist: no controller serves it.',
    ['the cluster has no IngressClass haproxy'],
  ],
])('what is missing is one case: %#', (one, message, evidence) => {
  const [finding, ...others] = ingressBackend(one, facts({ absentIngressClasses: ['haproxy'] }), ALL);
  expect(others).toEqual([]);
  expect(finding).toMatchObject({ ...COUNTED, subject: 'shop/front', message });
  expect(finding?.evidence.map(({ text }) => text)).toEqual(evidence);
});

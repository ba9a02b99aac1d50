import { expect, test } from 'vitest';
import { policyCloses } from '../../../../src/analyze/findings/cluster/policy-closes.ts';
import { DENY, facts, podFacts, SERVER, serviceFacts } from './facts.ts';

test('a policy that admits nobody to all pods of a Service is a hint with the command that shows it', () => {
  const [finding, ...others] = policyCloses(serviceFacts(), facts({ networkPolicies: [DENY] }));
  expect(others).toEqual([]);
  expect(finding).toMatchObject({
    code: 'NETWORK_POLICY_DROPS',
    severity: 'warning',
    confidence: 'hint',
    subject: 'web.shop',
    message: 'No NetworkPolicy allows traffic to port 80 of web.shop.',
    next: 'kubectl describe networkpolicy -n shop deny',
    cases: 1,
    attempts: 1,
  });
  expect(finding?.evidence[0]?.text).toBe('no rule of NetworkPolicy deny allows traffic to the port');
});

test('one pod that can be reached, no pod, and what may not be read are none', () => {
  const open = podFacts('web-2', SERVER, 'node2', { namespace: 'other' });
  expect(policyCloses(serviceFacts(), facts({ networkPolicies: [] }))).toEqual([]);
  expect(policyCloses(serviceFacts(), facts({ networkPolicies: [DENY], pods: [open] }))).toEqual([]);
  expect(policyCloses(serviceFacts(), facts({ networkPolicies: 'unreadable' }))).toEqual([]);
  expect(policyCloses(serviceFacts(), facts({ networkPolicies: [DENY], pods: 'unreadable' }))).toEqual([]);
});

import { expect, it } from 'vitest';
import { IdentityTable } from '../../../src/analyze/identity/identity.ts';
import { workloadText } from '../../../src/analyze/identity/workload.ts';

it.each([
  // Names as Deployments give them to their pods.
  [{ namespace: 'shop', pod: 'client-6d4cf56db6-x2x4v' }, 'shop/client'],
  [{ pod: 'my-client-7997b97dcc-4wwvv' }, 'my-client'],
  // The Service comes first.
  [{ namespace: 'shop', pod: 'web-7997b97dcc-4wwvv', service: 'web' }, 'web.shop'],
  // Of a StatefulSet, a DaemonSet or a single pod the name does not prove an owner.
  [{ namespace: 'shop', pod: 'db-0' }, 'shop/db-0'],
  [{ namespace: 'shop', pod: 'client-http2' }, 'shop/client-http2'],
  [{ namespace: 'shop', pod: 'client-release-proxy' }, 'shop/client-release-proxy'],
  [{ node: 'worker-1' }, 'worker-1'],
  [{ name: 'client-6d4cf56db6-x2x4v' }, 'client-6d4cf56db6-x2x4v'],
])('%o is shown as %s', (parts, text) => {
  const identity = new IdentityTable().get(parts);
  expect(identity && workloadText(identity)).toBe(text);
});

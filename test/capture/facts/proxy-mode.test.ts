import { afterEach, expect, test } from 'vitest';
import { proxyMode } from '../../../src/capture/facts/proxy-mode.ts';
import { loadKube } from '../../../src/capture/kube/config.ts';
import { type ObjectServer, startObjectServer } from '../../support/object-server.ts';

let server: ObjectServer;
afterEach(() => server.api.close());

async function modeOf(text: string | undefined, isForbidden = false) {
  server = await startObjectServer();
  if (text !== undefined) {
    const metadata = { name: 'kube-proxy', namespace: 'kube-system' };
    server.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'config.conf': text } });
  }
  if (isForbidden) server.forbid(/configmaps/);
  return proxyMode(await loadKube({ kubeconfig: server.api.kubeconfig() }), new AbortController().signal);
}

test.each([
  ['kind: KubeProxyConfiguration\nmode: nftables\n', 'nftables'],
  ['kind: KubeProxyConfiguration\nmode: "ipvs"\n', 'ipvs'],
  ['kind: KubeProxyConfiguration\nmode: ""\nnodePortAddresses: null\n', 'iptables'],
  ['kind: KubeProxyConfiguration\nclusterCIDR: 10.244.0.0/16\n', 'iptables'],
  ['conntrack:\n  mode: strange\n', undefined],
  [undefined, undefined],
])('%j means %s', async (text, mode) => {
  expect(await modeOf(text)).toBe(mode);
});

test('what may not be read is not known', async () => {
  expect(await modeOf('mode: nftables', true)).toBeUndefined();
});

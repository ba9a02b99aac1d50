import { KsnoopError } from '../../wire/errors.ts';
import { objectAt, optionalString } from '../../wire/guard.ts';
import { find } from '../kube/api.ts';
import type { Kube } from '../kube/kube.ts';
import { resourcePath } from '../kube/resource.ts';

/** Where kubeadm and most installers put kube-proxy's configuration (kubeproxy.config.k8s.io/v1alpha1). */
const CONFIG = { namespace: 'kube-system', name: 'kube-proxy', key: 'config.conf' } as const;

/** What Linux uses when the configuration names no mode. */
const DEFAULT_MODE = 'iptables';

/**
 * How kube-proxy translates Services' addresses, by its ConfigMap.
 * @returns undefined where the cluster has no such ConfigMap, or it may not be read
 * @throws the signal's reason
 */
export async function proxyMode(kube: Kube, signal: AbortSignal): Promise<string | undefined> {
  try {
    const object = await find(kube, resourcePath('v1', CONFIG.namespace, 'configmaps', CONFIG.name), signal);
    const text = object === undefined ? undefined : optionalString(objectAt(object, 'data'), CONFIG.key);
    return text === undefined ? undefined : modeOf(text);
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof KsnoopError) return undefined;
    throw thrown;
  }
}

/** @param text the configuration, YAML */
function modeOf(text: string): string | undefined {
  const mode = /^mode:[ \t]*["']?(\w{0,20})["']?[ \t]*$/m.exec(text)?.[1];
  if (mode === undefined) return /^kind:[ \t]*KubeProxyConfiguration[ \t]*$/m.test(text) ? DEFAULT_MODE : undefined;
  return mode === '' ? DEFAULT_MODE : mode;
}

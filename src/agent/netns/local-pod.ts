import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { KsnoopError } from '../../wire/errors.ts';

/** Where the kubelet keeps containers' logs: one directory per pod, `NAMESPACE_NAME_UID` (pkg/kubelet/kuberuntime). */
const POD_LOGS = '/var/log/pods';

export interface LocalPod {
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
}

/** The pods that have logs on this machine, newest first. */
function localPods(directory = POD_LOGS): LocalPod[] {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    return [];
  }
  return names
    .map((name) => ({ parts: name.split('_'), made: statSync(join(directory, name)).mtimeMs }))
    .sort((a, b) => b.made - a.made)
    .flatMap(({ parts: [namespace, pod, uid] }) => (namespace && pod && uid ? [{ namespace, pod, uid }] : []));
}

/** @throws KsnoopError NO_SUCH_POD naming the pods that are here */
export function findLocalPod(namespace: string, pod: string, directory = POD_LOGS): LocalPod {
  const pods = localPods(directory);
  const found = pods.find((candidate) => candidate.namespace === namespace && candidate.pod === pod);
  if (found !== undefined) return found;
  const here = pods.slice(0, 10).map((candidate) => `${candidate.namespace}/${candidate.pod}`);
  throw new KsnoopError(
    'NO_SUCH_POD',
    `Pod ${namespace}/${pod} has never run on this machine (no logs in ${directory}).`,
    {
      hint:
        here.length > 0
          ? `Pods with logs here: ${here.join(', ')}.`
          : 'There are no logs of pods: is this a Kubernetes node?',
    },
  );
}

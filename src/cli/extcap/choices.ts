import { loadKube } from '../../capture/kube/config.ts';
import type { Kube } from '../../capture/kube/kube.ts';
import { contextNames } from '../../capture/kube/kubeconfig.ts';
import { containerNames, namespaceNames, targetNames } from '../capture/cluster-names.ts';
import type { DialogFields, FieldName } from './arguments.ts';
import type { Choice } from './dialog.ts';
import { rememberedChoices } from './remembered.ts';

/** A person who pressed the button waits so long; a plugin may have to fetch credentials. */
const ASK_MS = 15_000;

/** Choices that need no cluster: Wireshark asks for them whenever it starts. */
export function offlineChoices(fields: DialogFields): Map<FieldName, readonly Choice[]> {
  const remembered = rememberedChoices();
  const list = (name: FieldName, none: string): [FieldName, Choice[]] => [
    name,
    [{ value: '', display: none, chosen: true }, ...(remembered.get(name) ?? []).filter(({ value }) => value !== '')],
  ];
  return new Map<FieldName, readonly Choice[]>([
    list('target', '(choose)'),
    list('namespace', '(of the context)'),
    ['context', contextChoices(fields)],
    list('container', ALL),
  ]);
}

const ALL = '(all)';

/**
 * Choices of one field, as the user asked for them with what the others hold.
 * @throws KsnoopError as the kubeconfig and the API server have it
 */
export async function freshChoices(name: FieldName, fields: DialogFields): Promise<readonly Choice[]> {
  switch (name) {
    case 'namespace':
      return withCluster(fields, async (kube, signal) => [
        { value: '', display: `(of the context: ${kube.namespace})`, chosen: true },
        ...(await namespaceNames(kube, signal)).map(plain),
      ]);
    case 'target':
      return withCluster(fields, async (kube, signal) =>
        (await targetNames(kube, fields.namespace ?? kube.namespace, signal)).map((target, index) => ({
          ...plain(target),
          chosen: index === 0,
        })),
      );
    case 'container':
      return withCluster(fields, async (kube, signal) => {
        const pods = [...(fields.target ?? '').matchAll(/(?:^|\s)(?:po|pods?)\/(\S+)/g)].map((match) => match[1] ?? '');
        const namespace = fields.namespace ?? kube.namespace;
        const names = await Promise.all(pods.map((pod) => containerNames(kube, namespace, pod, signal)));
        return [{ value: '', display: ALL, chosen: true }, ...[...new Set(names.flat())].map(plain)];
      });
    default:
      return offlineChoices(fields).get(name) ?? [];
  }
}

function contextChoices({ kubeconfig }: DialogFields): Choice[] {
  const { names, current } = known(kubeconfig);
  return [{ value: '', display: `(current: ${current ?? 'none'})`, chosen: true }, ...names.map(plain)];
}

/** Without a readable kubeconfig there is still a dialog, in which another can be named. */
function known(kubeconfig: string | undefined): ReturnType<typeof contextNames> {
  try {
    return contextNames(kubeconfig);
  } catch {
    return { names: [], current: undefined };
  }
}

async function withCluster<T>(
  { kubeconfig, context }: DialogFields,
  ask: (kube: Kube, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const kube = await loadKube({ kubeconfig, context });
  try {
    return await ask(kube, AbortSignal.timeout(ASK_MS));
  } finally {
    kube.close();
  }
}

function plain(value: string): Choice {
  return { value, display: value };
}

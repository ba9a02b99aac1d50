import { EXIT, KsnoopError } from '../../wire/errors.ts';
import { nearest } from '../../wire/near.ts';
import { find, list } from '../kube/api.ts';
import { podView } from '../kube/pod.ts';
import { resourcePath } from '../kube/resource.ts';
import type { TargetKind } from './kind.ts';

export const pod: TargetKind = {
  name: 'pod',
  aliases: ['pods', 'po'],
  async pods(kube, namespace, name, signal) {
    const object = await find(kube, resourcePath('v1', namespace, 'pods', name), signal);
    if (object !== undefined) return [podView(object)];
    // Names are a help, not the answer: who may not list pods still gets the error.
    const all = await list(kube, resourcePath('v1', namespace, 'pods'), {}, signal).catch(() => undefined);
    const names = all?.items.map((item) => podView(item).name) ?? [];
    const near = nearest(name, names);
    const known = names.length === 0 ? `there are no pods in namespace ${namespace}` : `pods there: ${some(names)}`;
    throw new KsnoopError('NO_SUCH_TARGET', `There is no pod ${name} in namespace ${namespace}.`, {
      hint:
        near.length > 0
          ? `Did you mean ${near.join(' or ')}?`
          : `Look with kubectl get pods -n ${namespace}; ${known}.`,
      exit: EXIT.noTarget,
    });
  },
};

function some(names: readonly string[]): string {
  return names.length > 5 ? `${names.slice(0, 5).join(', ')} and ${names.length - 5} more` : names.join(', ');
}

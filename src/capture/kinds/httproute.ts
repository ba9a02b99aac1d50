import { find } from '../kube/api.ts';
import { resourcePath } from '../kube/resource.ts';
import { BACKEND_PERMISSION, selectBackends } from './backends.ts';
import { CONTROLLER_PERMISSIONS } from './controller.ts';
import { backendRefs, GATEWAY_API, gatewayPods, parentsOf } from './gateway.ts';
import { type Resolution, type TargetKind, through, together } from './kind.ts';
import { objectName } from './object.ts';

/** The pods of the Services a route sends requests to, and of the Gateways it is attached to. */
export const httpRoute: TargetKind = {
  name: 'httproute',
  aliases: ['httproutes'],
  api: GATEWAY_API,
  plural: 'httproutes',
  kind: 'HTTPRoute',
  namespaced: true,
  uses: [
    BACKEND_PERMISSION,
    {
      verb: 'get',
      group: 'gateway.networking.k8s.io',
      resource: 'gateways',
      where: 'namespace',
      purpose: 'without it, the pods that serve it are not found',
    },
    {
      verb: 'get',
      group: 'gateway.networking.k8s.io',
      resource: 'gatewayclasses',
      where: 'cluster',
      purpose: 'without it, the controller is not found',
    },
    ...CONTROLLER_PERMISSIONS,
  ],
  async select(object, context) {
    const { name, namespace } = objectName(object);
    const via = `httproute/${name}`;
    const gateways = context.sides.controller ? parentsOf(object) : [];
    const parts = await Promise.all([
      ...gateways.map(async (parent): Promise<Resolution> => {
        const path = resourcePath(GATEWAY_API, parent.namespace, 'gateways', parent.name);
        const gateway = await find(context.kube, path, context.signal);
        if (gateway === undefined) {
          return { pods: [], notes: [`${via} names gateway ${parent.namespace}/${parent.name}, which does not exist`] };
        }
        return through(via, through(`gateway/${parent.name}`, await gatewayPods(gateway, context)));
      }),
      context.sides.backends ? selectBackends(via, backendRefs(object, namespace), context) : { pods: [] },
    ]);
    return together(parts);
  },
};

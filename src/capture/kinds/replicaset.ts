import { workload } from './workload.ts';

export const replicaSet = workload({
  name: 'replicaset',
  aliases: ['replicasets', 'rs'],
  api: 'apps/v1',
  plural: 'replicasets',
  kind: 'ReplicaSet',
});

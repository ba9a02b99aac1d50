import { workload } from './workload.ts';

export const replicationController = workload({
  name: 'replicationcontroller',
  aliases: ['replicationcontrollers', 'rc'],
  api: 'v1',
  plural: 'replicationcontrollers',
  kind: 'ReplicationController',
});

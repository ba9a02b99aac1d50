import { workload } from './workload.ts';

export const statefulSet = workload({
  name: 'statefulset',
  aliases: ['statefulsets', 'sts'],
  api: 'apps/v1',
  plural: 'statefulsets',
  kind: 'StatefulSet',
});

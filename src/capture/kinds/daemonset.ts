import { workload } from './workload.ts';

export const daemonSet = workload({
  name: 'daemonset',
  aliases: ['daemonsets', 'ds'],
  api: 'apps/v1',
  plural: 'daemonsets',
  kind: 'DaemonSet',
});

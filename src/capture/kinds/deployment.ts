import { workload } from './workload.ts';

export const deployment = workload({
  name: 'deployment',
  aliases: ['deployments', 'deploy'],
  api: 'apps/v1',
  plural: 'deployments',
  kind: 'Deployment',
});

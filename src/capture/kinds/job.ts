import { workload } from './workload.ts';

export const job = workload({
  name: 'job',
  aliases: ['jobs'],
  api: 'batch/v1',
  plural: 'jobs',
  kind: 'Job',
});

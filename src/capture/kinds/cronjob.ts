import type { TargetKind } from './kind.ts';
import { textSelector } from './label-selector.ts';
import { objectName } from './object.ts';

/** Pods of Jobs have a label with their Job's name; the Job's owner reference names its CronJob. */
const OF_A_JOB = textSelector('job-name');

export const cronJob: TargetKind = {
  name: 'cronjob',
  aliases: ['cronjobs', 'cj'],
  api: 'batch/v1',
  plural: 'cronjobs',
  kind: 'CronJob',
  namespaced: true,
  uses: [
    {
      verb: 'get',
      group: 'batch',
      resource: 'jobs',
      where: 'namespace',
      purpose: 'without it, Jobs that were started by hand are not found',
    },
  ],
  select(object) {
    const { name, namespace, uid } = objectName(object);
    const owner = { uid, kind: 'CronJob', name };
    return { pods: [{ namespace, labels: OF_A_JOB, broad: true, owner, via: [`cronjob/${name}`] }] };
  },
};

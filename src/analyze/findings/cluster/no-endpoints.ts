import type { ClusterFacts, PodFacts, ServiceFacts } from '../cluster-facts.ts';
import { type Finding, withoutPackets } from '../finding.ts';
import { counted, listed } from '../words.ts';
import { podEvents } from './pod-events.ts';
import { hasReadyEndpoint, selectedPods, youth } from './subject.ts';

/** SERVICE_NO_ENDPOINTS: no endpoint of the Service is ready. The pods that should be, with the reason, are named. */
export function noEndpoints(service: ServiceFacts, facts: ClusterFacts): Finding[] {
  if (service.type === 'ExternalName' || hasReadyEndpoint(service, facts) !== false) return [];
  const { namespace, name } = service;
  const pods = facts.pods === 'unreadable' ? [] : selectedPods(service, facts.pods);
  const [first] = pods;
  const starting = startingFor(pods, facts.at);
  return [
    {
      code: 'SERVICE_NO_ENDPOINTS',
      severity: starting === undefined ? 'error' : 'warning',
      confidence: 'proven',
      subject: `${name}.${namespace}`,
      message: `${name}.${namespace} has no endpoint that is ready: connections to it cannot succeed.`,
      evidence: [
        withoutPackets(`no endpoint in the EndpointSlices of ${name} is ready`),
        ...(first === undefined
          ? []
          : [
              withoutPackets(
                `${counted(pods.length, 'pod')} selected: ${listed(pods.map((pod) => `${pod.name} ${stateOf(pod)}`))}`,
              ),
              ...podEvents(pods, facts),
            ]),
      ],
      next:
        first === undefined
          ? `kubectl get endpointslices -n ${namespace} -l kubernetes.io/service-name=${name}`
          : `kubectl describe pod -n ${namespace} ${first.name}`,
      otherwise:
        starting === undefined
          ? undefined
          : `its pods are starting: the newest was created ${counted(starting, 'second')} ago`,
      cases: 1,
      attempts: 1,
    },
  ];
}

/** Containers wait for one of these when they begin; for anything else something is wrong. */
const BEGINNING: ReadonlySet<string> = new Set(['ContainerCreating', 'PodInitializing']);

/** Whether a rollout may be under way: the age of the newest pod, s; undefined where one has failed to start. */
function startingFor(pods: readonly PodFacts[], at: bigint): number | undefined {
  const ages = pods.flatMap(({ created, waiting, deleted }) =>
    deleted !== undefined || waiting.some((reason) => !BEGINNING.has(reason)) ? [] : (youth(created, at) ?? []),
  );
  return ages.length === 0 ? undefined : Math.min(...ages);
}

/** `is not ready (ContainersNotReady)`, `is Pending (Unschedulable)`. */
function stateOf({ phase, deleted, conditions, waiting, ended = [] }: PodFacts): string {
  if (deleted !== undefined) return 'is being deleted';
  const reason =
    waiting[0] ?? conditions.find(({ status, reason }) => status === 'False' && reason !== undefined)?.reason;
  const reasons = [
    ...(reason === undefined ? [] : [reason]),
    ...(ended[0] === undefined ? [] : [`before: ${ended[0]}`]),
  ];
  return `is ${phase === 'Running' ? 'not ready' : phase}${reasons.length === 0 ? '' : ` (${reasons.join(', ')})`}`;
}

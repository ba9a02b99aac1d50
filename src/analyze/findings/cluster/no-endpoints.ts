import type { ClusterFacts, PodFacts, ServiceFacts } from '../cluster-facts.ts';
import type { Finding } from '../finding.ts';
import { counted, listed } from '../words.ts';
import { hasReadyEndpoint, ofObjects, selectedPods } from './subject.ts';

/** SERVICE_NO_ENDPOINTS: no endpoint of the Service is ready. The pods that should be, with the reason, are named. */
export function noEndpoints(service: ServiceFacts, facts: ClusterFacts): Finding[] {
  if (service.type === 'ExternalName' || hasReadyEndpoint(service, facts) !== false) return [];
  const { namespace, name } = service;
  const pods = facts.pods === 'unreadable' ? [] : selectedPods(service, facts.pods);
  const [first] = pods;
  return [
    {
      code: 'SERVICE_NO_ENDPOINTS',
      severity: 'error',
      confidence: 'proven',
      subject: `${name}.${namespace}`,
      message: `${name}.${namespace} has no endpoint that is ready: connections to it cannot succeed.`,
      evidence: [
        ofObjects(`no endpoint in the EndpointSlices of ${name} is ready`),
        ...(first === undefined
          ? []
          : [
              ofObjects(
                `${counted(pods.length, 'pod')} selected: ${listed(pods.map((pod) => `${pod.name} ${stateOf(pod)}`))}`,
              ),
            ]),
      ],
      next:
        first === undefined
          ? `kubectl get endpointslices -n ${namespace} -l kubernetes.io/service-name=${name}`
          : `kubectl describe pod -n ${namespace} ${first.name}`,
      otherwise: undefined,
      cases: 1,
      attempts: 1,
    },
  ];
}

/** `is not ready (ContainersNotReady)`, `is Pending (Unschedulable)`. */
function stateOf({ phase, deleted, conditions }: PodFacts): string {
  if (deleted !== undefined) return 'is being deleted';
  const reason = conditions.find(({ status, reason }) => status === 'False' && reason !== undefined)?.reason;
  return `is ${phase === 'Running' ? 'not ready' : phase}${reason === undefined ? '' : ` (${reason})`}`;
}

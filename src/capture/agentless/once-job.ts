import type { JsonObject } from '../../wire/guard.ts';
import { AGENT_CONTAINER, AGENT_LABEL, AGENT_NAMESPACE, ONCE_NAME } from '../agent-objects.ts';
import { ONCE_LIFE_SECONDS, ONCE_TTL_SECONDS } from '../limits.ts';

/** A Job for one capture. */
export interface OnceJob {
  readonly name: string;
  readonly node: string;
  readonly image: string;
  /** The public key of the session that its agent takes, hex: who may use port-forward here cannot begin another one. */
  readonly key: string;
}

/**
 * The Job whose pod is an agent for one capture: the pod of daemonset/base, on one node. The agent ends by itself when it has no
 * session any more, and the cluster removes the ended Job with its pod.
 */
export function onceJob({ name, node, image, key }: OnceJob): JsonObject {
  const labels = { [AGENT_LABEL]: ONCE_NAME };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace: AGENT_NAMESPACE, labels },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: ONCE_LIFE_SECONDS,
      ttlSecondsAfterFinished: ONCE_TTL_SECONDS,
      template: { metadata: { labels: { ...labels, [ONCE_NAME]: name } }, spec: podSpec(node, image, key) },
    },
  };
}

function podSpec(node: string, image: string, key: string): JsonObject {
  return {
    restartPolicy: 'Never',
    nodeName: node,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    hostPID: true,
    hostNetwork: false,
    terminationGracePeriodSeconds: 2,
    tolerations: [{ operator: 'Exists' }],
    securityContext: {
      runAsUser: 0,
      runAsGroup: 0,
      seccompProfile: { type: 'RuntimeDefault' },
      appArmorProfile: { type: 'Unconfined' },
    },
    containers: [
      {
        name: AGENT_CONTAINER,
        image,
        imagePullPolicy: 'IfNotPresent',
        command: ['/usr/bin/ksnoop-agent', 'once'],
        env: [
          { name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
          { name: 'KSNOOP_SPOOL', value: '/var/spool/ksnoop' },
          { name: 'KSNOOP_SESSION_KEY', value: key },
        ],
        volumeMounts: [{ name: 'spool', mountPath: '/var/spool/ksnoop' }],
        securityContext: {
          privileged: false,
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: {
            drop: ['ALL'],
            add: ['NET_RAW', 'SYS_ADMIN', 'SYS_PTRACE', 'SETUID', 'SETGID', 'SETPCAP', 'KILL'],
          },
        },
        resources: {
          requests: { cpu: '10m', memory: '48Mi' },
          limits: { memory: '512Mi', 'ephemeral-storage': '9Gi' },
        },
      },
    ],
    volumes: [{ name: 'spool', emptyDir: { sizeLimit: '8Gi' } }],
  };
}

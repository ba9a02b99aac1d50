import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { KsnoopError } from '../../wire/errors.ts';
import { call, get } from '../kube/api.ts';
import type { Kube } from '../kube/kube.ts';
import { podView } from '../kube/pod.ts';
import { resourcePath } from '../kube/resource.ts';
import { PROBE_LIFE_SECONDS, PROBE_LOOK_MS, PROBE_START_MS } from '../limits.ts';
import { stuckReason } from './stuck-reason.ts';

/** What containerd and docker give a container besides NET_RAW: dropped by name where a policy forbids to add NET_RAW. */
const OTHER_DEFAULTS = [
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
];

/**
 * Capabilities of the probe: exactly those it needs where that is allowed, else what is left of the runtime's defaults (Pod
 * Security, baseline). SETGID: a tcpdump of root sets its groups, also to those that it has.
 */
const CAPABILITIES = [{ drop: ['ALL'], add: ['NET_RAW', 'SETGID'] }, { drop: OTHER_DEFAULTS }] as const;

/** Pod Security, an admission webhook or policy, and what validates pods: "static pods do not support ephemeral containers". */
const REFUSALS = /PodSecurity|denied the request|static pods do not support/;

/** What to try where no container of the pod may capture. */
export const WITH_AGENTS =
  'Capture with an agent on the node, in a privileged namespace: --agentless=node. Or with the agents, which an administrator installs: ksnoop install --image IMAGE';
const WITH_EPHEMERAL =
  'Use an ephemeral container: --agentless=ephemeral. Or an agent on the node, in a privileged namespace: --agentless=node';

/** Whether a container is one that a capture has added: it ends with that capture. */
export function isProbe(container: string): boolean {
  return /^ksnoop-[0-9a-f]{8}$/.test(container);
}

export interface EphemeralTarget {
  readonly namespace: string;
  readonly pod: string;
}

/**
 * Start an ephemeral container beside the pod's own, in its network namespace, and wait until it runs.
 * @returns its name
 * @throws KsnoopError AGENTLESS_REFUSED with the policy, PROBE_NOT_STARTED with the runtime's reason, and as api.ts does
 */
export async function startEphemeral(
  kube: Kube,
  target: EphemeralTarget,
  image: string,
  signal: AbortSignal,
): Promise<string> {
  const name = probeName();
  const refused = await refusal(async (capabilities) => {
    await addContainer(kube, target, { name, image, capabilities }, signal);
    await untilRunning(kube, target, name, signal);
  });
  if (refused === undefined) return name;
  throw new KsnoopError(
    'AGENTLESS_REFUSED',
    `An ephemeral container that may capture is not allowed in pod ${target.namespace}/${target.pod}: ${refused.message}`,
    { hint: WITH_AGENTS, cause: refused },
  );
}

/**
 * What to try where tcpdump cannot capture in the pod's own containers. The API server is asked whether the pod takes an
 * ephemeral container (a dry run: nothing is added); where that is refused, it is not suggested.
 * @returns the hint of an error
 */
export async function hintBesideOwnContainers(
  kube: Kube,
  target: EphemeralTarget,
  image: string,
  signal: AbortSignal,
): Promise<string> {
  const name = probeName();
  try {
    const refused = await refusal((capabilities) =>
      addContainer(kube, target, { name, image, capabilities, dryRun: true }, signal),
    );
    return refused === undefined ? WITH_EPHEMERAL : WITH_AGENTS;
  } catch {
    // Who may not ask gets both ways named.
    return WITH_EPHEMERAL;
  }
}

/**
 * Try with all capabilities, then with fewer, while policies refuse them.
 * @returns the last refusal; undefined where one of the tries was allowed
 * @throws what a try fails with that is no refusal
 */
async function refusal(attempt: (capabilities: object) => Promise<void>): Promise<KsnoopError | undefined> {
  let refused: KsnoopError | undefined;
  for (const capabilities of CAPABILITIES) {
    try {
      await attempt(capabilities);
      return undefined;
    } catch (thrown) {
      if (!(thrown instanceof KsnoopError) || !REFUSALS.test(thrown.message)) throw thrown;
      refused = thrown;
    }
  }
  return refused;
}

function probeName(): string {
  return `ksnoop-${randomBytes(4).toString('hex')}`;
}

interface Probe {
  readonly name: string;
  readonly image: string;
  readonly capabilities: object;
  /** The API server says whether it would be added, and does not add it. */
  readonly dryRun?: boolean;
}

async function addContainer(
  kube: Kube,
  { namespace, pod }: EphemeralTarget,
  { name, image, capabilities, dryRun = false }: Probe,
  signal: AbortSignal,
): Promise<void> {
  const container = {
    name,
    image,
    imagePullPolicy: 'IfNotPresent',
    // Ends by itself, should nobody end it. The first process of a container heeds only signals that it handles (pid_namespaces(7)).
    command: ['sh', '-c', `trap 'exit 0' TERM; sleep ${PROBE_LIFE_SECONDS} & wait`],
    securityContext: {
      runAsUser: 0,
      runAsNonRoot: false,
      allowPrivilegeEscalation: false,
      privileged: false,
      readOnlyRootFilesystem: true,
      capabilities,
      seccompProfile: { type: 'RuntimeDefault' },
    },
  };
  await call(kube, {
    method: 'PATCH',
    path: resourcePath('v1', namespace, 'pods', pod, 'ephemeralcontainers'),
    ...(dryRun && { query: { dryRun: 'All' } }),
    contentType: 'application/strategic-merge-patch+json',
    body: JSON.stringify({ spec: { ephemeralContainers: [container] } }),
    signal,
  });
}

async function untilRunning(
  kube: Kube,
  { namespace, pod }: EphemeralTarget,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + PROBE_START_MS;
  for (;;) {
    const view = podView(await get(kube, resourcePath('v1', namespace, 'pods', pod), signal));
    const container = view.containers.find((each) => each.name === name);
    if (container?.state === 'running') return;
    const reason = container === undefined ? 'it is not in the pod' : stuckReason(container);
    if (reason !== undefined || performance.now() > deadline) {
      const why = reason === undefined ? ` within ${PROBE_START_MS / 1000} s` : `: ${reason}`;
      throw new KsnoopError(
        'PROBE_NOT_STARTED',
        `The ephemeral container ${name} of pod ${namespace}/${pod} did not start${why}. Its entry remains in the pod.`,
        {
          hint: `See why: kubectl describe pod -n ${namespace} ${pod}. To use another image (with tcpdump and sh): --agentless-image IMAGE`,
        },
      );
    }
    await sleep(PROBE_LOOK_MS, undefined, { signal });
  }
}

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { deadlineSignal } from '../../wire/deadline.ts';
import { KsnoopError, messageOf } from '../../wire/errors.ts';
import { objectAt, objectsAt, optionalString } from '../../wire/guard.ts';
import { AGENT_NAMESPACE, ONCE_NAME } from '../agent-objects.ts';
import { find, list, open } from '../kube/api.ts';
import type { Kube } from '../kube/kube.ts';
import { type PodView, podTrouble, podView } from '../kube/pod.ts';
import { resourcePath } from '../kube/resource.ts';
import { ONCE_LOOK_MS, ONCE_REMOVE_MS, PROBE_START_MS } from '../limits.ts';
import { type OnceJob, onceJob } from './once-job.ts';
import { stuckReason } from './stuck-reason.ts';

/** An agent that runs on a node for one capture. */
export interface NodeJob {
  readonly pod: string;
  /** Remove the Job and its pod. @returns why that failed; undefined when it did not */
  remove(): Promise<string | undefined>;
}

/**
 * Start an agent on a node for one capture, as a Job in the agents' namespace, and wait until it runs.
 * @throws KsnoopError AGENTLESS_REFUSED with the policy, AGENT_IMAGE_UNKNOWN, PROBE_NOT_STARTED with the runtime's reason, and as
 * api.ts does
 */
export async function startNodeJob(
  kube: Kube,
  { node, image, key }: Omit<OnceJob, 'name' | 'image'> & { readonly image: string | undefined },
  signal: AbortSignal,
): Promise<NodeJob> {
  const name = `${ONCE_NAME}-${randomBytes(4).toString('hex')}`;
  const agentImage = image ?? (await imageOnNode(kube, node, signal));
  const warning = await createJob(kube, { name, node, image: agentImage, key }, signal);
  const remove = () => removeJob(kube, name);
  try {
    if (/PodSecurity/i.test(warning)) throw refused(warning);
    const pod = await untilRunning(kube, name, node, signal);
    return { pod: pod.name, remove };
  } catch (thrown) {
    await remove();
    throw thrown;
  }
}

/** @returns the API server's warning, such as the verdict of Pod Security; empty for none */
async function createJob(kube: Kube, job: OnceJob, signal: AbortSignal): Promise<string> {
  const path = resourcePath('batch/v1', AGENT_NAMESPACE, 'jobs');
  const body = JSON.stringify(onceJob(job));
  try {
    const response = await open(kube, { method: 'POST', path, body, signal });
    response.resume();
    return response.headersDistinct.warning?.join(' ') ?? '';
  } catch (thrown) {
    if (!(thrown instanceof KsnoopError) || thrown.code !== 'NOT_FOUND') throw thrown;
    throw new KsnoopError(
      'AGENTLESS_REFUSED',
      `There is no namespace ${AGENT_NAMESPACE} for the Jobs of --agentless=node.`,
      {
        hint: `An administrator creates it once: kubectl create namespace ${AGENT_NAMESPACE} && ${LABEL_COMMAND}. Without it: --agentless=ephemeral`,
        cause: thrown,
      },
    );
  }
}

const LABEL_COMMAND = `kubectl label namespace ${AGENT_NAMESPACE} pod-security.kubernetes.io/enforce=privileged`;

function refused(policy: string): KsnoopError {
  return new KsnoopError(
    'AGENTLESS_REFUSED',
    `The policy of namespace ${AGENT_NAMESPACE} does not allow an agent on a node: ${policy}`,
    { hint: `An administrator allows it: ${LABEL_COMMAND}. Without it: --agentless=ephemeral` },
  );
}

async function untilRunning(kube: Kube, name: string, node: string, signal: AbortSignal): Promise<PodView> {
  const deadline = performance.now() + PROBE_START_MS;
  const path = resourcePath('v1', AGENT_NAMESPACE, 'pods');
  for (;;) {
    const { items } = await list(kube, path, { labelSelector: `${ONCE_NAME}=${name}` }, signal);
    const pod = items[0] && podView(items[0]);
    const [container] = pod?.containers ?? [];
    if (pod !== undefined && container?.state === 'running') return pod;
    const reason = container && stuckReason(container);
    if (reason === undefined && performance.now() <= deadline) {
      await sleep(ONCE_LOOK_MS, undefined, { signal });
      continue;
    }
    const why =
      reason ?? (pod === undefined ? await whyNoPod(kube, name, signal) : podTrouble(pod) || `phase ${pod.phase}`);
    if (/PodSecurity|denied the request/.test(why)) throw refused(why);
    throw new KsnoopError('PROBE_NOT_STARTED', `The agent of Job ${name} on node ${node} did not start: ${why}.`, {
      hint: 'Name an image of the agent that the node has or can pull: --agent-image IMAGE. Without it: --agentless=ephemeral',
    });
  }
}

/** What the Job's controller could not do; users who may not list events learn only that there is no pod. */
async function whyNoPod(kube: Kube, name: string, signal: AbortSignal): Promise<string> {
  const fieldSelector = `involvedObject.name=${name}`;
  const events = await list(kube, resourcePath('v1', AGENT_NAMESPACE, 'events'), { fieldSelector }, signal).catch(
    () => undefined,
  );
  const messages = events?.items.map((event) => optionalString(event, 'message') ?? '') ?? [];
  return messages.at(-1) || `the Job has no pod after ${PROBE_START_MS / 1000} s`;
}

/**
 * The agent's image that a node already has.
 * @throws KsnoopError AGENT_IMAGE_UNKNOWN when it has none, or when the user may not read nodes
 */
async function imageOnNode(kube: Kube, node: string, signal: AbortSignal): Promise<string> {
  const object = await find(kube, resourcePath('v1', undefined, 'nodes', node), signal).catch(() => undefined);
  const images = objectsAt(objectAt(object ?? {}, 'status'), 'images');
  for (const { names } of images) {
    const found = Array.isArray(names) ? names.find((name) => /(^|\/)ksnoop-agent:/.test(String(name))) : undefined;
    if (found !== undefined) return String(found);
  }
  throw new KsnoopError(
    'AGENT_IMAGE_UNKNOWN',
    `No image of the agent is named, and none is known to be on node ${node}.`,
    {
      hint: 'Name it: --agentless=node --agent-image REF. See docs/agentless.md. Without it: --agentless=ephemeral',
    },
  );
}

async function removeJob(kube: Kube, name: string): Promise<string | undefined> {
  const path = resourcePath('batch/v1', AGENT_NAMESPACE, 'jobs', name);
  // Not as a body: Node sends that of a DELETE without its length.
  const query = { propagationPolicy: 'Background' };
  try {
    const response = await open(kube, { method: 'DELETE', path, query, signal: deadlineSignal(ONCE_REMOVE_MS) });
    response.resume();
    return undefined;
  } catch (thrown) {
    return thrown instanceof KsnoopError && thrown.code === 'NOT_FOUND' ? undefined : messageOf(thrown);
  }
}

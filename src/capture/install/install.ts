import { join } from 'node:path';
import { EXIT, KsnoopError } from '../../wire/errors.ts';
import { objectAt, stringsAt } from '../../wire/guard.ts';
import { VERSION } from '../../wire/version.ts';
import { AGENT_NAMESPACE, OBSERVE_NAME, TICKET_KEY_PUBLIC } from '../agent-objects.ts';
import type { Kube } from '../kube/kube.ts';
import { ObjectApi } from '../kube/object-api.ts';
import { takesTickets } from './captures-status.ts';
import { claimsToMount, withClaims } from './claims.ts';
import { NODES_NAMED, READY_TIMEOUT_MS } from './limits.ts';
import { daemonsetDirectory, type Manifest, nameOf, readKustomization } from './manifests.ts';
import { nodeImages } from './node-images.ts';
import { addressed, FIELD_MANAGER, imageOf, OWN_LABELS, prepared } from './objects.ts';
import { presentObservation, removeEarlierObservation } from './observe/installed.ts';
import { observeObjects } from './observe/objects.ts';
import type { Observation } from './observe/observation.ts';
import { nextPoll } from './poll.ts';
import { findDaemonSet, type InstallStatus, type NodeStatus, status } from './status.ts';
import { ticketKeyObjects } from './ticket-key.ts';

export interface InstallOptions {
  readonly kube: Kube;
  /** The agents' image, as the nodes pull it. Left out: the one that is installed, else this version's that the nodes have. */
  readonly image?: string | undefined;
  /** Names of Secrets in the agents' namespace. Left out: those that are installed. */
  readonly pullSecrets?: readonly string[] | undefined;
  /** Captures of tenants (daemonset/captures) as well. Left out: where they are installed. */
  readonly captures?: boolean | undefined;
  /** What an installed `ksnoop observe` observes. Left out: what is installed. */
  readonly observe?: Observation | undefined;
  /** A directory of daemonset/overlays instead of the base, such as `selinux`. */
  readonly overlay?: string | undefined;
  /** Where base and overlays are, if not the package's own `daemonset`. */
  readonly manifests?: string | undefined;
  /** Until every agent must be ready, milliseconds; 0 does not wait. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Apply the agents' objects (server-side apply, so a second time changes only what differs) and wait until every node's
 * agent is ready.
 * @param progress receives a line such as `3 of 5 nodes ready; node7: ImagePullBackOff: …` whenever it changes
 * @returns how it stands at the end
 * @throws KsnoopError IMAGE_REQUIRED, BAD_DESTINATION, AGENTS_NOT_READY with the nodes' reasons, and as ObjectApi does
 */
export async function install(options: InstallOptions, progress: (line: string) => void): Promise<InstallStatus> {
  const { kube, signal } = options;
  const api = new ObjectApi(kube, signal);
  const { objects, observed } = await planned(api, options, progress);
  for (const object of objects) {
    await api.apply(addressed(await adapted(api, object)), FIELD_MANAGER);
    progress(`applied ${nameOf(object)}`);
  }
  if (observed) await removeEarlierObservation(api, objects, progress);
  const timeoutMs = options.timeoutMs ?? READY_TIMEOUT_MS;
  return timeoutMs === 0 ? status(kube, signal) : untilReady(kube, timeoutMs, progress, signal);
}

/**
 * The objects that `install` would apply; nothing is changed. Left out are the Secret and the ConfigMap with the keys of tickets: a key
 * pair is made when it is installed, and a public key without its private one would be of no use.
 * @throws KsnoopError as install, before it applies
 */
export async function plannedObjects(
  options: InstallOptions,
  progress: (line: string) => void,
): Promise<readonly Manifest[]> {
  const api = new ObjectApi(options.kube, options.signal);
  const { objects } = await planned(api, options, progress);
  const isKey = (object: Manifest) =>
    object.kind === 'Secret' || objectAt(object, 'metadata').name === TICKET_KEY_PUBLIC;
  return objects.filter((object) => !isKey(object));
}

interface Planned {
  readonly objects: readonly Manifest[];
  /** An observation is among them. */
  readonly observed: boolean;
}

async function planned(api: ObjectApi, options: InstallOptions, progress: (line: string) => void): Promise<Planned> {
  const before = await findDaemonSet(api);
  const installed = before === undefined ? undefined : imageOf(before);
  const image = (options.image ?? installed?.image) || (await imageOfNodes(api, progress));
  const root = options.manifests ?? daemonsetDirectory();
  const directory = join(root, ...(options.overlay ? ['overlays', options.overlay] : ['base']));
  // Without them the agents would listen to everybody who may port-forward: they stay until they are uninstalled.
  const captures = options.captures === true || (before !== undefined && takesTickets(before));
  // One that is installed goes with the agents: its version is theirs.
  const observation = options.observe ?? (await presentObservation(api));
  const claims = captures ? await claimsToMount(api) : [];
  const objects = prepared(
    [
      ...withClaims(readKustomization(directory, captures ? [join(root, 'captures')] : []), claims),
      ...(captures ? await ticketKeyObjects(api) : []),
      ...(observation === undefined ? [] : observeObjects(observation, captures)),
    ],
    { image, pullSecrets: options.pullSecrets ?? installed?.pullSecrets ?? [] },
  );
  return { objects, observed: observation !== undefined };
}

/** A namespace that was there before is used but not taken over: uninstall leaves it. */
async function adapted(api: ObjectApi, object: Manifest): Promise<Manifest> {
  if (object.kind !== 'Namespace') return object;
  const present = await api.find(addressed(object));
  const labels = present === undefined ? OWN_LABELS : stringsAt(objectAt(present, 'metadata'), 'labels');
  if (labels['app.kubernetes.io/managed-by'] === OWN_LABELS['app.kubernetes.io/managed-by']) return object;
  const metadata = objectAt(object, 'metadata');
  const rest = Object.entries(stringsAt(metadata, 'labels')).filter(([label]) => !(label in OWN_LABELS));
  return { ...object, metadata: { ...metadata, labels: Object.fromEntries(rest) } };
}

async function untilReady(
  kube: Kube,
  timeoutMs: number,
  progress: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<InstallStatus> {
  const deadline = Date.now() + timeoutMs;
  for (let last = ''; ; ) {
    const now = await status(kube, signal);
    const line = progressLine(now);
    if (line !== last) progress(line);
    last = line;
    if (isComplete(now)) return now;
    if (Date.now() > deadline) {
      throw new KsnoopError('AGENTS_NOT_READY', `After ${timeoutMs / 1000} s ${line}.`, {
        hint: hintFor(now),
      });
    }
    await nextPoll(signal);
  }
}

/** Every agent that can be ready is, with the present image. Agents of nodes that are down come when their nodes do. */
function isComplete(status: InstallStatus): boolean {
  const { installed, settled, desired, updated, ready, nodes, captures, observe } = status;
  if (observe !== undefined && !(observe.settled && observe.available)) return false;
  if (captures !== undefined && !(captures.settled && captures.ready >= captures.desired)) return false;
  const down = nodes.filter(({ nodeDown, pod }) => nodeDown && pod !== '').length;
  const present = nodes.filter(({ state }) => state === 'ready').length;
  return installed && settled && desired > 0 && updated + down >= desired && Math.min(ready, present) + down >= desired;
}

function progressLine(status: InstallStatus): string {
  const { desired, ready, updated, trouble, nodes, settled, captures, observe } = status;
  const isEmpty = desired === 0 && nodes.every(({ pod }) => pod === '');
  if (!settled || (desired === 0 && !isEmpty)) return 'waiting for the DaemonSet controller';
  if (isEmpty) return 'no node matches the DaemonSet';
  const waiting = nodes.filter(({ pod, state }) => pod !== '' && state !== 'ready');
  const words = waiting.slice(0, NODES_NAMED).map(nodeWords);
  if (waiting.length > NODES_NAMED) words.push(`and ${waiting.length - NODES_NAMED} more`);
  if (trouble !== '') words.push(trouble);
  if (captures !== undefined && captures.ready < captures.desired) {
    words.push(
      `${captures.ready} of ${captures.desired} controllers ready${captures.reason && `: ${captures.reason}`}`,
    );
  }
  if (observe !== undefined && !(observe.available && observe.settled)) {
    words.push(`the observation is not available${observe.reason && `: ${observe.reason}`}`);
  }
  // While an old agent is still there it counts as ready, but not as updated.
  return [`${Math.min(ready, updated)} of ${desired} nodes ready`, ...words].join('; ');
}

function nodeWords({ node, state, reason }: NodeStatus): string {
  return `${node || 'unscheduled'}: ${state === 'being replaced' ? state : reason}`;
}

function hintFor({ nodes, image, observe, ready, desired }: InstallStatus): string {
  if (nodes.some(({ reason }) => /ErrImage|ImagePull|InvalidImageName/.test(reason))) {
    return `The nodes cannot get ${image}: ${LOADING}, or give a pull secret with --pull-secret.`;
  }
  if (observe?.available === false && ready >= desired) {
    return `See what it prints: kubectl logs -n ${AGENT_NAMESPACE} deployment/${OBSERVE_NAME}`;
  }
  return 'See the state of each node: ksnoop status';
}

const LOADING =
  'bring it to them (docker push, kind load docker-image, minikube image load, or ctr -n k8s.io images import)';

/** @throws KsnoopError IMAGE_REQUIRED (exit 2) with the two commands that bring an image and install it */
async function imageOfNodes(api: ObjectApi, progress: (line: string) => void): Promise<string> {
  const { own, others } = await nodeImages(api);
  if (own !== undefined) {
    progress(`image ${own}: every node has it`);
    return own;
  }
  const reference = `REGISTRY/ksnoop-agent:${VERSION}`;
  const push = `In the repository of ksnoop: ksnoop image push ${reference}; then: ksnoop install --image ${reference}`;
  const seen =
    others.length === 0 ? '' : ` If you trust what nodes have already: ksnoop install --image ${others.join(' or ')}`;
  throw new KsnoopError('IMAGE_REQUIRED', '--image is required: there is no public image of the agents.', {
    hint: `${push} (REGISTRY: one that the nodes pull from).${seen}`,
    exit: EXIT.usage,
  });
}

import { type JsonObject, objectAt, objectsAt, optionalString, stringsAt } from '../../wire/guard.ts';
import { AGENT_CONTAINER, AGENT_NAMESPACE, AGENT_SELECTOR } from '../agent-objects.ts';
import type { Kube } from '../kube/kube.ts';
import { ObjectApi } from '../kube/object-api.ts';
import { VERSION_LABEL } from './objects.ts';
import { findDaemonSet } from './status.ts';

/** Agents that run the same image. */
export interface AgentImage {
  readonly image: string;
  /** What the node runs, `sha256:…`; empty where no agent of the image has started. */
  readonly digest: string;
  readonly nodes: readonly string[];
}

/** What is installed in a cluster, by version and image. */
export interface InstalledVersions {
  readonly installed: boolean;
  /** Version of the ksnoop that installed the agents; empty when it is not known. */
  readonly version: string;
  /** The image that most agents run comes first. */
  readonly agents: readonly AgentImage[];
}

/** Read which agents a cluster has. @throws KsnoopError as ObjectApi does */
export async function installedVersions(kube: Kube, signal?: AbortSignal): Promise<InstalledVersions> {
  const api = new ObjectApi(kube, signal);
  const [daemonSet, pods] = await Promise.all([
    findDaemonSet(api),
    api.list({ apiVersion: 'v1', kind: 'Pod' }, AGENT_NAMESPACE, { labelSelector: AGENT_SELECTOR }),
  ]);
  const labels = daemonSet === undefined ? {} : stringsAt(objectAt(daemonSet, 'metadata'), 'labels');
  return { installed: daemonSet !== undefined, version: labels[VERSION_LABEL] ?? '', agents: byImage(pods) };
}

function byImage(pods: readonly JsonObject[]): AgentImage[] {
  const found = new Map<string, { image: string; digest: string; nodes: string[] }>();
  for (const pod of pods) {
    const image = optionalString(containerOf(pod, 'spec', 'containers'), 'image') ?? '';
    const imageId = optionalString(containerOf(pod, 'status', 'containerStatuses'), 'imageID') ?? '';
    const digest = /sha256:[0-9a-f]{64}/.exec(imageId)?.[0] ?? '';
    const key = `${image} ${digest}`;
    const entry = found.get(key) ?? { image, digest, nodes: [] };
    found.set(key, entry);
    entry.nodes.push(optionalString(objectAt(pod, 'spec'), 'nodeName') ?? '');
  }
  for (const { nodes } of found.values()) nodes.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return [...found.values()].sort((a, b) => b.nodes.length - a.nodes.length || a.image.localeCompare(b.image));
}

function containerOf(pod: JsonObject, part: string, list: string): JsonObject {
  return objectsAt(objectAt(pod, part), list).find(({ name }) => name === AGENT_CONTAINER) ?? {};
}

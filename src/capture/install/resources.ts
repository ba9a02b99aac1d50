import { KsnoopError } from '../../wire/errors.ts';
import { type JsonObject, objectAt, objectsAt, optionalString, stringsAt } from '../../wire/guard.ts';
import { AGENT_CONTAINER, AGENT_NAMESPACE, AGENT_SELECTOR } from '../agent-objects.ts';
import type { ObjectApi } from '../kube/object-api.ts';

/** What an agent may use: Kubernetes quantities, as the DaemonSet has them. */
export interface AgentResources {
  readonly requests: Readonly<Record<string, string>>;
  readonly limits: Readonly<Record<string, string>>;
}

/** What an agent uses, as the cluster's metrics API last measured it. */
export interface AgentUsage {
  /** Thousandths of a processor. */
  readonly cpuMillis: number;
  readonly memoryBytes: number;
}

/** Factors of quantities' suffixes (k8s.io/apimachinery, pkg/api/resource). */
const SUFFIXES: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

export function resourcesOf(daemonSet: JsonObject): AgentResources {
  const pod = objectAt(objectAt(objectAt(daemonSet, 'spec'), 'template'), 'spec');
  const agent = objectsAt(pod, 'containers').find(({ name }) => name === AGENT_CONTAINER) ?? {};
  const resources = objectAt(agent, 'resources');
  return { requests: stringsAt(resources, 'requests'), limits: stringsAt(resources, 'limits') };
}

/** The agents' usage by pod; empty where the cluster has no metrics API, or it may not be read. */
export async function agentUsage(api: ObjectApi): Promise<Map<string, AgentUsage>> {
  try {
    const kind = { apiVersion: 'metrics.k8s.io/v1beta1', kind: 'PodMetrics' };
    const items = await api.list(kind, AGENT_NAMESPACE, { labelSelector: AGENT_SELECTOR });
    return new Map(items.flatMap(usageOf));
  } catch (thrown) {
    if (thrown instanceof KsnoopError && thrown.code !== 'INTERRUPTED') return new Map();
    throw thrown;
  }
}

function usageOf(metrics: JsonObject): [string, AgentUsage][] {
  const name = optionalString(objectAt(metrics, 'metadata'), 'name');
  const agent = objectsAt(metrics, 'containers').find((container) => container.name === AGENT_CONTAINER);
  const usage = stringsAt(agent ?? {}, 'usage');
  const [cpu, memory] = [quantity(usage.cpu), quantity(usage.memory)];
  if (name === undefined || cpu === undefined || memory === undefined) return [];
  return [[name, { cpuMillis: Math.round(cpu * 1000), memoryBytes: Math.round(memory) }]];
}

/** A quantity's number: `12345678n`, `10m`, `48Mi`; undefined for what is none. */
export function quantity(text: string | undefined): number | undefined {
  const [, number = '', suffix = ''] = /^(\d{1,18}(?:\.\d{1,9})?)([a-zA-Z]{0,2})$/.exec(text ?? '') ?? [];
  const factor = SUFFIXES[suffix];
  return number === '' || factor === undefined ? undefined : Number(number) * factor;
}

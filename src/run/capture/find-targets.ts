import { targetKind } from '../../capture/kinds/index.ts';
import { loadKube } from '../../capture/kube/config.ts';
import type { Kube } from '../../capture/kube/kube.ts';
import { followNames } from '../../capture/names/live-names.ts';
import { podNames } from '../../capture/names/names.ts';
import { planCluster } from '../../capture/plan/cluster-plan.ts';
import type { TargetQuery } from '../../capture/targets/target-find.ts';
import { namePattern, parseTargets } from '../../capture/targets/target-words.ts';
import { type NamedAddress, namesOf } from '../../wire/pcapng-write.ts';
import type { CaptureConfig } from './config.ts';
import type { CapturePlan } from './plan.ts';
import { isSelecting, targetQuery } from './target-query.ts';

/** Chooses targets of a namespace. @returns words as the command line takes them */
export type PickTargets = (kube: Kube, namespace: string, signal: AbortSignal) => Promise<readonly string[]>;

/** What whoever plans a capture adds to it. */
export interface PlanHooks {
  /** Chooses targets of a namespace where the configuration names none. */
  readonly pick?: PickTargets | undefined;
  /** Called once when the first requests are on their way: their answers leave time to load what a capture needs later. */
  readonly asked?: (() => void) | undefined;
}

/** The API server, and what is searched there. */
export interface OpenedQuery {
  readonly kube: Kube;
  readonly query: TargetQuery;
}

/**
 * Read the targets' words and the kubeconfig; without any words `pick` chooses among the namespace's objects.
 * @throws KsnoopError BAD_TARGET (exit 2), NO_SUCH_TARGET (exit 3) without words and `pick`, and as loadKube has it
 */
export async function openQuery(
  config: CaptureConfig,
  signal: AbortSignal,
  pick?: PickTargets | undefined,
): Promise<OpenedQuery> {
  const typed = parseTargets(config.targets, isSelecting(config));
  const kube = await loadKube(config);
  const query = targetQuery(config, typed, kube.namespace);
  if (typed.length > 0 || pick === undefined) return { kube, query };
  const [namespace = kube.namespace] = query.namespaces ?? [];
  const words = await pick(kube, namespace, signal);
  return { kube, query: { ...query, namespaces: [namespace], refs: parseTargets(words, false) } };
}

/** Ask the cluster for the targets named. @throws KsnoopError as openQuery, kinds/ and the API server have it */
export async function findTargets(
  config: CaptureConfig,
  signal: AbortSignal,
  { pick, asked }: PlanHooks = {},
): Promise<CapturePlan> {
  const found = findOpened(await openQuery(config, signal, pick), config, signal);
  // One turn of the loop opens the connections, the next one sends the beginning of their handshakes.
  if (asked !== undefined) setImmediate(() => setImmediate(asked));
  return found;
}

/**
 * As findTargets, with an API server that is open.
 * @param cluster of a capture of several clusters: how this one is called in labels and names
 */
export async function findOpened(
  { kube, query }: OpenedQuery,
  config: CaptureConfig,
  signal: AbortSignal,
  cluster?: string,
): Promise<CapturePlan> {
  const { container, maxTargets: maximum, follow, wholeNode, transport, clients, depth = 0, ownNodes = false } = config;
  const options = { container, maximum, follow, wholeNode, transport, clients, depth, ownNodes, cluster };
  if (transport.asTenant === true) return (await tenants()).findAsTenant({ kube, query }, config, signal);
  const plan = await planCluster(kube, query, options, signal);
  if (plan.denied && cluster === undefined) {
    const { findAsTenant, isForTenants } = await tenants();
    if (await isForTenants(kube, signal)) return findAsTenant({ kube, query }, config, signal);
  }
  const warnings = [...plan.warnings];
  if (container !== undefined) {
    warnings.push(`containers of a pod share its network: -c ${container} filters by the ports it declares.`);
  }
  const { plans, labels, refused, waiting, growing, leaveOut, seen } = plan;
  return {
    plans,
    labels,
    refused,
    waiting,
    growing,
    leaveOut,
    seen,
    warnings,
    follow: plan.follow,
    names: namesOf(cluster, podNames(plan.pods)),
    followNames: async (signal, onNames, onComplete, started) => {
      const namespaces = plan.pods.map((pod) => pod.namespace);
      const isTarget = namedServices(query.refs);
      const onNamed = (names: readonly NamedAddress[]) => onNames(namesOf(cluster, names));
      await followNames({ kube, namespaces, isTarget, watch: follow, started, signal, onNames: onNamed, onComplete });
    },
    cluster: { kube, namespaces: [...new Set(plan.pods.map(({ namespace }) => namespace))] },
    close: async () => {
      kube.close();
      return undefined;
    },
  };
}

/** Loaded only for those who capture as tenants. */
function tenants() {
  return import('./find-as-tenant.ts');
}

/** Whether a Service (`web.shop`) was named as a target, in any namespace. */
function namedServices(refs: TargetQuery['refs']): (service: string) => boolean {
  const services = refs.filter(({ kind }) => targetKind(kind)?.name === 'service');
  const patterns = services.map(({ name }) => namePattern(name));
  return (service) => patterns.some((matches) => matches(service.slice(0, service.indexOf('.'))));
}

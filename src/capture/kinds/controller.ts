import { KsnoopError } from '../../wire/errors.ts';
import { arrayAt, type JsonObject, objectAt, objectsAt, optionalString, stringsAt } from '../../wire/guard.ts';
import { list, type Selectors } from '../kube/api.ts';
import { resourcePath } from '../kube/resource.ts';
import { type KindPermission, type Resolution, type ResolveContext, type TargetKind, together } from './kind.ts';
import { objectName } from './object.ts';
import { daemonSet, deployment } from './workloads.ts';

/** What searching for a controller takes. */
export const CONTROLLER_PERMISSIONS: readonly KindPermission[] = ['deployments', 'daemonsets'].map((resource) => ({
  verb: 'list',
  group: 'apps',
  resource,
  where: 'cluster',
  purpose: 'without it, the controller is searched in one namespace only',
}));

/** What is known of a controller from the class that names it. */
export interface ControllerTraits {
  /** `nginx`, the IngressClass's or GatewayClass's name. */
  readonly className: string;
  /** `k8s.io/ingress-nginx`; empty when the class could not be read. */
  readonly controllerName: string;
  readonly classLabels: Readonly<Record<string, string>>;
  /** Where the controller is searched when the user may not list all namespaces. */
  readonly namespace: string;
}

const INSTANCE = 'app.kubernetes.io/instance';
const NAME = 'app.kubernetes.io/name';
const COMPONENT = 'app.kubernetes.io/component';

/** Last parts of a controller's name that identify nothing; its domain is used then: `traefik.io/ingress-controller`. */
const GENERIC = /^(ingress|gateway|gatewayclass|ingressclass)?-?controller$|^ingress$|^gateway$/;

/** A workload is taken for the controller from this score on. */
const ENOUGH = 2;

/**
 * The pods of an Ingress or Gateway controller. Kubernetes records nowhere which workload a class belongs to, so the
 * Deployments and DaemonSets that fit best are taken: the class or controller named in an argument (`--ingress-class=`,
 * `--controller-class=`) counts most, then Helm's labels shared with the class, then its name or `app` label being the
 * end of the controller's name. Workloads that can be found by name and label are read first, then all.
 */
export async function selectController(traits: ControllerTraits, context: ResolveContext): Promise<Resolution> {
  const kinds = [deployment, daemonSet];
  const words = wordsOf(traits);
  const narrow: Selectors[] = words.map((word) => ({ fieldSelector: `metadata.name=${word}` }));
  if (words.length > 0) {
    narrow.push({ labelSelector: `${NAME} in (${words.join(',')})` }, { labelSelector: `app in (${words.join(',')})` });
  }
  const instance = traits.classLabels[INSTANCE];
  if (instance !== undefined) narrow.push({ labelSelector: `${INSTANCE}=${instance}` });
  const all = await Promise.all(kinds.map((kind) => best(kind, narrow, traits, context)));
  const found = bestOf(all.flat());
  if (found.length > 0) return selectAll(found, context);
  const everything = await Promise.all(kinds.map((kind) => best(kind, [{}], traits, context)));
  return selectAll(bestOf(everything.flat()), context);
}

interface ControllerCandidate {
  readonly kind: TargetKind;
  readonly object: JsonObject;
  readonly score: number;
}

async function best(
  kind: TargetKind,
  selectors: readonly Selectors[],
  traits: ControllerTraits,
  { kube, signal }: ResolveContext,
): Promise<ControllerCandidate[]> {
  const read = async (narrowing: Selectors) => {
    const within = (namespace: string | undefined) =>
      list(kube, resourcePath(kind.api, namespace, kind.plural), narrowing, signal);
    try {
      return (await within(undefined)).items;
    } catch (thrown) {
      if (!(thrown instanceof KsnoopError) || thrown.code !== 'FORBIDDEN') throw thrown;
      return (await within(traits.namespace)).items;
    }
  };
  const lists = await Promise.all(selectors.map(read));
  const byUid = new Map(lists.flat().map((object) => [objectName(object).uid, object]));
  return [...byUid.values()].map((object) => ({ kind, object, score: scoreOf(object, traits) }));
}

function bestOf(candidates: readonly ControllerCandidate[]): ControllerCandidate[] {
  const top = Math.max(ENOUGH, ...candidates.map(({ score }) => score));
  return candidates.filter(({ score }) => score === top);
}

async function selectAll(found: readonly ControllerCandidate[], context: ResolveContext): Promise<Resolution> {
  return together(await Promise.all(found.map(({ kind, object }) => kind.select(object, context))));
}

/** How well a workload fits the controller. */
export function scoreOf(workload: JsonObject, traits: ControllerTraits): number {
  const { className, controllerName, classLabels } = traits;
  const metadata = objectAt(workload, 'metadata');
  const template = objectAt(objectAt(workload, 'spec'), 'template');
  const labels = { ...stringsAt(objectAt(template, 'metadata'), 'labels'), ...stringsAt(metadata, 'labels') };
  const name = optionalString(metadata, 'name') ?? '';
  const words = argumentsOf(objectAt(template, 'spec'));
  const names = [name, labels[NAME], labels.app, labels['k8s-app']];
  let score = 0;
  if (words.some((word) => namesClass(word, [className, controllerName]))) score += 4;
  const shared = [INSTANCE, NAME].every(
    (label) => classLabels[label] !== undefined && classLabels[label] === labels[label],
  );
  if (shared) score += 3;
  if (wordsOf(traits).some((word) => names.includes(word))) {
    const domainOnly = GENERIC.test(lastPart(controllerName));
    score += domainOnly && !/ingress|gateway|controller/.test(name) ? 1 : 2;
  }
  if (labels[COMPONENT] === 'controller') score += 1;
  return score;
}

function argumentsOf(podSpec: JsonObject): string[] {
  return objectsAt(podSpec, 'containers').flatMap((container) =>
    ['command', 'args'].flatMap((key) => arrayAt(container, key).filter((word) => typeof word === 'string')),
  );
}

/** `--ingress-class=nginx`, `--controller-class=k8s.io/ingress-nginx`, `--providers.kubernetesingress.ingressclass=x`. */
function namesClass(argument: string, values: readonly string[]): boolean {
  const [flag = '', value = ''] = argument.split('=', 2);
  return /class|controller/i.test(flag) && value !== '' && values.includes(value);
}

function lastPart(controllerName: string): string {
  return controllerName.split('/').at(-1) ?? '';
}

/** What the controller's workload is probably called. */
function wordsOf({ controllerName }: ControllerTraits): string[] {
  const [domain = '', ...rest] = controllerName.split('/');
  const last = rest.at(-1);
  if (last === undefined) return [];
  if (!GENERIC.test(last)) return [last];
  // `traefik.io`, `gateway.envoyproxy.io`: what stands before the top-level domain.
  const parts = domain.split('.').slice(0, -1).reverse();
  return [
    ...new Set(parts.flatMap((part) => [part, `${part}-ingress`, `${part}-ingress-controller`, `${part}-gateway`])),
  ];
}

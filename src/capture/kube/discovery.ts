import { KsnoopError } from '../../wire/errors.ts';
import { arrayAt, type JsonObject, objectAt, objectsAt, optionalString } from '../../wire/guard.ts';
import { call } from './api.ts';
import type { Kube } from './kube.ts';
import { apiGroup } from './resource.ts';

/** A resource of the API server, in the version it prefers. */
export interface DiscoveredResource {
  /** `v1`, `apps/v1`. */
  readonly api: string;
  readonly group: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly shortNames: readonly string[];
  readonly namespaced: boolean;
  /** It has a scale subresource. */
  readonly scales: boolean;
}

/** Aggregated discovery (KEP-3352): v2 from Kubernetes 1.30, v2beta1 from 1.27; older servers send plain lists. */
const AGGREGATED = [
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
  'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList',
  'application/json',
].join(',');

/** The API server's resources, requested when first needed and then remembered. */
export class Discovery {
  readonly #kube: Kube;
  #resources: Promise<readonly DiscoveredResource[]> | undefined;

  constructor(kube: Kube) {
    this.#kube = kube;
  }

  /**
   * All resources, those of the core group first.
   * @throws KsnoopError as `call`
   */
  resources(signal?: AbortSignal): Promise<readonly DiscoveredResource[]> {
    this.#resources ??= this.#ask(signal).catch((thrown: unknown) => {
      this.#resources = undefined;
      throw thrown;
    });
    return this.#resources;
  }

  /** The resource called by a word as kubectl takes it: plural, singular, short name or kind, with `.group` or not. */
  async named(word: string, signal?: AbortSignal): Promise<DiscoveredResource | undefined> {
    const [name = '', ...rest] = word.toLowerCase().split('.');
    const group = rest.join('.');
    const all = await this.resources(signal);
    return all.find((resource) => {
      const { plural, singular, kind, shortNames } = resource;
      const called = plural === name || singular === name || kind.toLowerCase() === name || shortNames.includes(name);
      // kubectl also takes the beginning of a group, and a version before it.
      const version = resource.api.split('/').at(-1) ?? '';
      return (
        called &&
        (group === '' || [resource.group, `${version}.${resource.group}`].some((whole) => whole.startsWith(group)))
      );
    });
  }

  /** The resource of an object, by its apiVersion and kind. */
  async ofKind(apiVersion: string, kind: string, signal?: AbortSignal): Promise<DiscoveredResource | undefined> {
    const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : '';
    return (await this.resources(signal)).find((resource) => resource.group === group && resource.kind === kind);
  }

  async #ask(signal: AbortSignal | undefined): Promise<readonly DiscoveredResource[]> {
    const [core, groups] = await Promise.all(
      ['/api', '/apis'].map((path) => call(this.#kube, { path, accept: AGGREGATED, signal })),
    );
    const parts = await Promise.all([core, groups].map((answer) => this.#read(answer ?? {}, signal)));
    return parts.flat();
  }

  async #read(answer: JsonObject, signal: AbortSignal | undefined): Promise<DiscoveredResource[]> {
    if (answer.kind === 'APIGroupDiscoveryList') return objectsAt(answer, 'items').flatMap(aggregatedGroup);
    const versions =
      answer.kind === 'APIVersions'
        ? arrayAt(answer, 'versions').map((version) => ({ api: String(version), path: `/api/${version}` }))
        : objectsAt(answer, 'groups').map((group) => {
            const api = optionalString(objectAt(group, 'preferredVersion'), 'groupVersion') ?? '';
            return { api, path: `/apis/${api}` };
          });
    const lists = await Promise.all(
      versions.map(async ({ api, path }) => {
        // A group whose own server is down (an aggregated API) must not take the others with it.
        const answered = await call(this.#kube, { path, signal }).catch((thrown: unknown) => {
          if (thrown instanceof KsnoopError) return {};
          throw thrown;
        });
        return plainList(api, answered);
      }),
    );
    return lists.flat();
  }
}

function strings(parent: JsonObject, key: string): string[] {
  return arrayAt(parent, key).filter((item): item is string => typeof item === 'string');
}

/** An APIGroupDiscovery: versions in the server's order of preference; a resource counts in its first. */
function aggregatedGroup(group: JsonObject): DiscoveredResource[] {
  const name = optionalString(objectAt(group, 'metadata'), 'name') ?? '';
  const found = new Map<string, DiscoveredResource>();
  for (const version of objectsAt(group, 'versions')) {
    const api = [name, optionalString(version, 'version') ?? ''].filter((part) => part !== '').join('/');
    for (const resource of objectsAt(version, 'resources')) {
      const plural = optionalString(resource, 'resource') ?? '';
      if (found.has(plural)) continue;
      found.set(plural, {
        api,
        group: name,
        plural,
        singular: optionalString(resource, 'singularResource') ?? '',
        kind: optionalString(objectAt(resource, 'responseKind'), 'kind') ?? '',
        shortNames: strings(resource, 'shortNames'),
        namespaced: resource.scope === 'Namespaced',
        scales: objectsAt(resource, 'subresources').some(({ subresource }) => subresource === 'scale'),
      });
    }
  }
  return [...found.values()];
}

/** An APIResourceList; subresources stand in it as `deployments/scale`. */
function plainList(api: string, answer: JsonObject): DiscoveredResource[] {
  const resources = objectsAt(answer, 'resources');
  const names = new Set(resources.map(({ name }) => name));
  return resources.flatMap((resource) => {
    const plural = optionalString(resource, 'name') ?? '';
    if (plural === '' || plural.includes('/')) return [];
    return [
      {
        api,
        group: apiGroup(api),
        plural,
        singular: optionalString(resource, 'singularName') ?? '',
        kind: optionalString(resource, 'kind') ?? '',
        shortNames: strings(resource, 'shortNames'),
        namespaced: resource.namespaced === true,
        scales: names.has(`${plural}/scale`),
      },
    ];
  });
}

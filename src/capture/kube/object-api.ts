import { HttpMethod, type RequestContext, ResponseContext } from '@kubernetes/client-node/dist/gen/http/http.js';
import { from } from '@kubernetes/client-node/dist/gen/rxjsStub.js';
import { ServerConfiguration } from '@kubernetes/client-node/dist/gen/servers.js';
import { KubernetesObjectApi } from '@kubernetes/client-node/dist/object.js';
import { PatchStrategy } from '@kubernetes/client-node/dist/patch.js';
import { ObjectSerializer } from '@kubernetes/client-node/dist/serializer.js';
import type { KubernetesObject } from '@kubernetes/client-node/dist/types.js';
import { getSerializationType } from '@kubernetes/client-node/dist/util.js';
import { KsnoopError } from '../../wire/errors.ts';
import { isObject, type JsonObject } from '../../wire/guard.ts';
import { type ApiCall, callText, type Selectors } from './api.ts';
import type { Kube } from './kube.ts';
import { LIST_PAGE } from './limits.ts';

/** A kind as manifests name it. */
export interface ObjectKind {
  readonly apiVersion: string;
  readonly kind: string;
}

/** One object. Cluster-wide kinds have no namespace. */
export interface ObjectId extends ObjectKind {
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/**
 * Objects of any kind, by @kubernetes/client-node's object API: for commands whose start-up time does not matter (install,
 * uninstall, status, doctor, cleanup). It forms the requests and knows the kinds; they are sent as all of ksnoop's
 * (api.ts), so that credentials, proxies, time limits and the words of errors are the same everywhere.
 * Every method throws KsnoopError as `call` in api.ts does, and NOT_FOUND for a kind that the cluster does not have.
 */
export class ObjectApi {
  readonly #api: KubernetesObjectApi;
  readonly #kube: Kube;
  readonly #signal: AbortSignal | undefined;

  constructor(kube: Kube, signal?: AbortSignal) {
    this.#kube = kube;
    this.#signal = signal;
    this.#api = objectApi((request) => answered(kube, request, signal));
  }

  /** One object as the API server has it, or undefined when it does not exist. */
  async find(id: ObjectId): Promise<JsonObject | undefined> {
    try {
      return plain(await outcome(id, this.#api.read({ ...id, metadata: { ...id.metadata } })), id);
    } catch (thrown) {
      if (isNotFound(thrown)) return undefined;
      throw thrown;
    }
  }

  /** All objects of a kind, in one namespace or in the whole cluster, however many pages they take. */
  async list(kind: ObjectKind, namespace: string | undefined, selectors: Selectors = {}): Promise<JsonObject[]> {
    const items: JsonObject[] = [];
    let token: string | undefined;
    do {
      const page = await outcome(
        kind,
        this.#api.list(
          kind.apiVersion,
          kind.kind,
          namespace,
          undefined,
          undefined,
          undefined,
          selectors.fieldSelector,
          selectors.labelSelector,
          LIST_PAGE,
          token,
        ),
      );
      for (const item of page.items) items.push(plain(item, kind));
      token = page.metadata?._continue || undefined;
    } while (token !== undefined);
    return items;
  }

  /**
   * Server-side apply: the object is created, or the given fields are set and those given before and not now are removed.
   * Conflicts with other owners are won.
   * @param manager owner of the fields (fieldManager)
   */
  async apply(object: ObjectId & JsonObject, manager: string): Promise<void> {
    // client-node's models do not know the members of a CRD's schema that are extensions (x-kubernetes-validations): what is sent
    // is the object itself.
    const body = JSON.stringify(object);
    const api = objectApi((request) => answered(this.#kube, request, this.#signal, body));
    await outcome(object, api.patch(object, undefined, undefined, manager, true, PatchStrategy.ServerSideApply));
  }

  /** Delete one object, its dependents after it. @returns false when it did not exist */
  async remove(id: ObjectId): Promise<boolean> {
    try {
      const target = { ...id, metadata: { ...id.metadata } };
      await outcome(id, this.#api.delete(target, undefined, undefined, undefined, undefined, 'Background'));
      return true;
    } catch (thrown) {
      if (isNotFound(thrown)) return false;
      throw thrown;
    }
  }
}

function objectApi(send: (request: RequestContext) => Promise<ResponseContext>): KubernetesObjectApi {
  return new KubernetesObjectApi({
    // The path and the query are what counts of the address: api.ts adds the server.
    baseServer: new ServerConfiguration('http://kubernetes', {}),
    httpApi: { send: (request) => from(send(request)) },
    middleware: [],
    authMethods: {},
  });
}

/** A failure on its way through client-node, which would write its own words before the message of an Error. */
class Failed {
  readonly reason: unknown;

  constructor(reason: unknown) {
    this.reason = reason;
  }
}

async function answered(
  kube: Kube,
  request: RequestContext,
  signal: AbortSignal | undefined,
  patch?: string,
): Promise<ResponseContext> {
  const { pathname: path, searchParams } = new URL(request.getUrl());
  const formed = request.getBody();
  const body = formed === undefined ? undefined : (patch ?? formed);
  const contentType = request.getHeaders()['Content-Type'] ?? 'application/json';
  const sent = typeof body === 'string' ? { body, contentType } : {};
  const call: ApiCall = { method: methodOf(request), path, query: Object.fromEntries(searchParams), ...sent, signal };
  let text: string;
  try {
    text = await callText(kube, call);
  } catch (reason) {
    return Promise.reject(new Failed(reason));
  }
  const content = { text: async () => text, binary: async () => Buffer.from(text), stream: () => null };
  return new ResponseContext(200, { 'content-type': 'application/json' }, content);
}

function methodOf(request: RequestContext): 'GET' | 'PATCH' | 'DELETE' {
  const method = request.getHttpMethod();
  if (method === HttpMethod.GET || method === HttpMethod.PATCH || method === HttpMethod.DELETE) return method;
  throw new TypeError(`no request with ${method} is made here`);
}

/** Wait for client-node, with our errors as they were thrown. */
async function outcome<T>({ apiVersion, kind }: ObjectKind, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (thrown) {
    if (thrown instanceof Failed) throw thrown.reason;
    // client-node has no class for its own errors: the kind was asked for and is not among the group's.
    if (thrown instanceof Error && thrown.message.startsWith('Unrecognized API version and kind')) {
      throw new KsnoopError('NOT_FOUND', `The cluster has no kind ${kind} in ${apiVersion}.`);
    }
    throw thrown;
  }
}

function isNotFound(thrown: unknown): boolean {
  return thrown instanceof KsnoopError && thrown.code === 'NOT_FOUND';
}

/** An object of client-node as the API server's JSON: times are text again, members have the names of the API. */
function plain(object: KubernetesObject, { apiVersion, kind }: ObjectKind): JsonObject {
  const value: unknown = ObjectSerializer.serialize(object, getSerializationType(apiVersion, kind));
  const json: unknown = JSON.parse(JSON.stringify(value));
  if (isObject(json)) return json;
  throw new KsnoopError('INVALID_MESSAGE', `The API server's ${kind} is not an object.`);
}

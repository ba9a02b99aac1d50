import type { ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { isObject, type JsonObject, stringsAt } from '../../src/wire/guard.ts';
import { type ApiServer, json, startApiServer, status } from './api-server.ts';

/** An object as a manifest has it; the namespace is `shop` and the UID `KIND-NAME` unless said. */
export interface TestObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [key: string]: unknown };
  readonly [key: string]: unknown;
}

/** An API server that holds objects, answers get, list and watch about them, and refuses what it is told to. */
export interface ObjectServer {
  readonly api: ApiServer;
  /** Add or replace an object; watches are told. */
  put(object: TestObject): void;
  remove(kind: string, name: string): void;
  /** Answer requests of this form (`GET /api/v1/namespaces/shop/pods?watch`) with 403 from now on. @returns answers them again */
  forbid(request: RegExp): () => void;
  /** Answer a path with this: discovery, a subresource. */
  answer(path: string, content: object): void;
  /** Answer requests that write (POST, PATCH, DELETE) with what this gives; undefined: 404. */
  onWrite(answer: (request: WriteRequest) => object | undefined): void;
  /** End every watch, as an API server that restarts does; old versions are gone when `gone`. */
  endWatches(gone?: boolean): void;
}

export interface WriteRequest {
  readonly method: string;
  readonly path: string;
  readonly body: JsonObject;
}

const PLURALS: Readonly<Record<string, string>> = {
  Ingress: 'ingresses',
  NetworkPolicy: 'networkpolicies',
  IngressClass: 'ingressclasses',
  GatewayClass: 'gatewayclasses',
};
const CLUSTER_WIDE = new Set(['Node', 'Namespace', 'IngressClass', 'GatewayClass']);

/** The kinds of a group and version that the server holds objects of, as the API server lists them. */
function discovery(path: string, objects: readonly TestObject[]): object | undefined {
  const version = /^\/api\/(v1)$|^\/apis\/([^/]+\/[^/]+)$/.exec(path);
  const groupVersion = version?.[1] ?? version?.[2];
  const kinds = new Set(objects.filter(({ apiVersion }) => apiVersion === groupVersion).map(({ kind }) => kind));
  if (kinds.size === 0) return undefined;
  const resources = [...kinds].map((kind) => {
    const name = PLURALS[kind] ?? `${kind.toLowerCase()}s`;
    return { kind, name, singularName: '', namespaced: !CLUSTER_WIDE.has(kind), verbs: [] };
  });
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources };
}

interface Watcher {
  readonly collection: string;
  readonly fits: (object: TestObject) => boolean;
  readonly seen: Set<string>;
  readonly response: ServerResponse;
}

export async function startObjectServer(...initial: readonly TestObject[]): Promise<ObjectServer> {
  const objects = new Map<string, TestObject>();
  const watchers = new Set<Watcher>();
  const answers = new Map<string, object>();
  const forbidden: RegExp[] = [];
  let write: ((request: WriteRequest) => object | undefined) | undefined;
  let version = 100;
  let oldest = 0;

  const api = await startApiServer({
    onRequest: (request, response) => {
      const url = new URL(request.url ?? '', 'https://x');
      const watching = url.searchParams.get('watch') === 'true';
      const line = `${request.method} ${url.pathname}${watching ? '?watch' : ''}`;
      if (forbidden.some((form) => form.test(line))) {
        json(
          response,
          403,
          status(403, 'Forbidden', `forbidden: cannot ${watching ? 'watch' : 'get'} ${url.pathname}`),
        );
        return;
      }
      const { method = 'GET' } = request;
      if (write !== undefined && method !== 'GET') {
        const answer = write;
        void text(request).then((sent) => {
          const body: unknown = sent === '' ? {} : JSON.parse(sent);
          const written = answer({ method, path: url.pathname, body: isObject(body) ? body : {} });
          if (written === undefined) json(response, 404, status(404, 'NotFound', `${url.pathname} not found`));
          else json(response, 200, written);
        });
        return;
      }
      const object =
        answers.get(url.pathname) ?? objects.get(url.pathname) ?? discovery(url.pathname, [...objects.values()]);
      if (object !== undefined) return json(response, 200, object);
      const known = [...objects.keys()].some((path) => collectionsOf(path).includes(url.pathname));
      if (
        !known &&
        !/\/(pods|services|nodes|namespaces|endpointslices|deployments|daemonsets|statefulsets)$/.test(url.pathname)
      ) {
        return json(response, 404, status(404, 'NotFound', 'the server could not find the requested resource'));
      }
      const fits = selection(url.searchParams);
      if (!watching) {
        const items = [...objects].filter(([path, item]) => collectionsOf(path).includes(url.pathname) && fits(item));
        const [first] = items;
        return json(response, 200, {
          apiVersion: first?.[1].apiVersion ?? 'v1',
          kind: `${first?.[1].kind ?? ''}List`,
          metadata: { resourceVersion: String(version) },
          items: items.map(([, item]) => item),
        });
      }
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      if (Number(url.searchParams.get('resourceVersion')) < oldest) {
        const object = status(410, 'Expired', 'too old resource version');
        response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
        return;
      }
      const there = [...objects.values()].filter(fits).map(pathOf);
      const watcher = { collection: url.pathname, fits, response, seen: new Set(there) };
      watchers.add(watcher);
      response.on('close', () => watchers.delete(watcher));
    },
  });

  function tell(path: string, object: TestObject, deleted: boolean): void {
    for (const { collection, fits, seen, response } of watchers) {
      if (!collectionsOf(path).includes(collection)) continue;
      const now = !deleted && fits(object);
      if (!now && !seen.has(path)) continue;
      const type = now ? (seen.has(path) ? 'MODIFIED' : 'ADDED') : 'DELETED';
      if (now) seen.add(path);
      else seen.delete(path);
      response.write(`${JSON.stringify({ type, object })}\n`);
    }
  }

  const server: ObjectServer = {
    api,
    put(object) {
      version += 1;
      const path = pathOf(object);
      const { kind, metadata } = object;
      const complete = {
        ...object,
        metadata: {
          uid: `${kind}-${metadata.name}`,
          ...(CLUSTER_WIDE.has(kind) ? {} : { namespace: 'shop' }),
          ...metadata,
          resourceVersion: String(version),
        },
      };
      objects.set(path, complete);
      tell(path, complete, false);
    },
    remove(kind, name) {
      version += 1;
      for (const [path, object] of objects) {
        if (object.kind !== kind || object.metadata.name !== name) continue;
        objects.delete(path);
        tell(path, object, true);
      }
    },
    answer: (path, content) => void answers.set(path, content),
    onWrite: (answer) => {
      write = answer;
    },
    forbid(form) {
      forbidden.push(form);
      return () => void forbidden.splice(forbidden.indexOf(form), 1);
    },
    endWatches(gone = false) {
      if (gone) oldest = version + 1;
      if (gone) version += 1;
      for (const { response } of watchers) response.end();
      watchers.clear();
    },
  };
  for (const object of initial) server.put(object);
  return server;
}

function pathOf({ apiVersion, kind, metadata }: TestObject): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const place = CLUSTER_WIDE.has(kind) ? '' : `/namespaces/${metadata.namespace ?? 'shop'}`;
  return `${root}${place}/${PLURALS[kind] ?? `${kind.toLowerCase()}s`}/${metadata.name}`;
}

/** The collections an object is listed in: its namespace's and all namespaces'. */
function collectionsOf(path: string): string[] {
  const own = path.slice(0, path.lastIndexOf('/'));
  return [own, own.replace(/\/namespaces\/[^/]+\//, '/')];
}

/** Selectors as far as the tests use them: `a=b`, `a`, `a in (b,c)`; fields by their path. */
function selection(query: URLSearchParams): (object: TestObject) => boolean {
  const labels = (query.get('labelSelector') ?? '').match(/[^,(]+(\([^)]*\))?/g) ?? [];
  const fields = (query.get('fieldSelector') ?? '').split(',').filter((field) => field !== '');
  return (object) =>
    labels.every((term) => holds(term, stringsAt(object.metadata, 'labels'))) &&
    fields.every((field) => {
      const [path = '', value] = field.split('=');
      let at: unknown = object;
      for (const part of path.split('.')) at = isObject(at) ? at[part] : undefined;
      return at === value;
    });
}

function holds(term: string, labels: Readonly<Record<string, string>>): boolean {
  const [, key = '', values = ''] = /^(\S+) in \((.*)\)$/.exec(term) ?? [];
  if (key !== '') return values.split(',').includes(labels[key] ?? '');
  const [name = '', value] = term.split('=');
  return value === undefined ? name in labels : labels[name] === value;
}

/** A running pod on node1, with labels and owner. */
export function podObject(
  name: string,
  options: {
    labels?: Record<string, string>;
    owner?: { kind: string; name: string; apiVersion?: string };
    namespace?: string;
    ip?: string;
    node?: string;
    phase?: string;
    containerID?: string;
  } = {},
): TestObject {
  const { labels = {}, owner, ip = '10.244.1.9', node = 'node1', phase = 'Running' } = options;
  const { containerID = phase === 'Running' ? `containerd://${name}` : '' } = options;
  const ownerReferences = owner && [
    { apiVersion: 'apps/v1', ...owner, uid: `${owner.kind}-${owner.name}`, controller: true },
  ];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      labels,
      ...(options.namespace && { namespace: options.namespace }),
      ...(ownerReferences && { ownerReferences }),
    },
    spec: { nodeName: node, containers: [{ name: 'main' }] },
    status: { phase, podIP: ip, podIPs: [{ ip }], containerStatuses: [{ name: 'main', containerID }] },
  };
}

import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Deadline } from '../../wire/deadline.ts';
import { KsnoopError, systemCode } from '../../wire/errors.ts';
import { isObject, type JsonObject, objectAt, objectsAt, optionalString, parseJson } from '../../wire/guard.ts';
import { connectionFailure, refusal, timeout } from './failures.ts';
import { bodyText, type Kube, kubeUrl } from './kube.ts';
import { BODY_MAXIMUM, CONNECT_TIMEOUT_MS, LIST_PAGE, REFUSAL_MAXIMUM, RESPONSE_TIMEOUT_MS } from './limits.ts';
import { resourcePath } from './resource.ts';

/** One call of the API. `path` is the API's, such as `resourcePath('v1', 'shop', 'pods', 'web-1')` gives. */
export interface ApiCall {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly contentType?: string;
  /** Forms of the answer, in order of preference; plain JSON when left out. */
  readonly accept?: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Make a call and wait for its answer's head. Credentials the server refuses are renewed once, and a connection that
 * was kept open too long is replaced once.
 * @throws KsnoopError as `refusal` and `connectionFailure` in failures.ts; the signal's reason when it aborts
 */
export async function open(kube: Kube, call: ApiCall): Promise<IncomingMessage> {
  let response = await sent(kube, call);
  if (response.statusCode === 401 && kube.renew()) {
    response.resume();
    response = await sent(kube, call);
  }
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 300) return response;
  const body = await bodyText(response, REFUSAL_MAXIMUM).catch(() => '');
  const method = call.method ?? 'GET';
  throw refusal(kube, { method, path: call.path, watch: call.query?.watch === 'true' }, status, body);
}

async function sent(kube: Kube, call: ApiCall): Promise<IncomingMessage> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt(kube, call, tries < CONNECTION_TRIES);
    } catch (thrown) {
      if (thrown !== STALE) throw thrown;
    }
  }
}

/** Marks a kept connection that the server had closed before our request reached it. */
const STALE = Symbol('stale connection');

/** Where one kept connection is stale, so are mostly the others: each try ends one of them, and then there is a new one. */
const CONNECTION_TRIES = 16;

async function attempt(kube: Kube, call: ApiCall, mayBeStale: boolean): Promise<IncomingMessage> {
  const { signal } = call;
  signal?.throwIfAborted();
  const options = await kube.options();
  const url = kubeUrl(kube, call.path, new URLSearchParams(call.query));
  const headers: Record<string, string | string[]> = { ...options.headers, Accept: call.accept ?? 'application/json' };
  if (call.body !== undefined) {
    headers['Content-Type'] = call.contentType ?? 'application/json';
    // For a DELETE, node:http itself sends none, and the body would be taken for the next request.
    headers['Content-Length'] = String(Buffer.byteLength(call.body));
  }
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'http:' ? httpRequest : httpsRequest)(url, {
      ...options,
      headers,
      method: call.method ?? 'GET',
    });
    const stop = () => request.destroy();
    const settle = () => {
      connecting.clear();
      answering?.clear();
      signal?.removeEventListener('abort', stop);
    };
    const late = (doing: 'connect' | 'answer', limit: number) =>
      new Deadline(limit, () => request.destroy(timeout(kube, doing, limit)));
    const connecting = late('connect', CONNECT_TIMEOUT_MS);
    let answering: Deadline | undefined;
    onConnected(request, () => {
      connecting.clear();
      answering = late('answer', RESPONSE_TIMEOUT_MS);
    });
    signal?.addEventListener('abort', stop, { once: true });
    request.on('response', (response) => {
      settle();
      resolve(response);
    });
    request.on('error', (cause) => {
      settle();
      if (signal?.aborted) reject(signal.reason);
      else if (mayBeStale && request.reusedSocket && ['ECONNRESET', 'EPIPE'].includes(systemCode(cause) ?? '')) {
        reject(STALE);
      } else reject(connectionFailure(kube, cause));
    });
    request.end(call.body);
  });
}

/** Call back once a request has its connection, TLS included; at once when it is a kept one. */
export function onConnected(request: ClientRequest, connected: () => void): void {
  request.on('socket', (socket) => {
    const isTls = 'encrypted' in socket;
    const stands = isTls
      ? 'getProtocol' in socket && !('secureConnecting' in socket && socket.secureConnecting)
      : !socket.connecting;
    if (stands) connected();
    else socket.once(isTls ? 'secureConnect' : 'connect', connected);
  });
}

/**
 * Make a call and read its whole answer.
 * @returns the JSON object the server sent
 * @throws KsnoopError as `open`, ANSWER_TOO_LARGE, TIMEOUT when the answer stalls, INVALID_MESSAGE
 */
export async function call(kube: Kube, request: ApiCall): Promise<JsonObject> {
  return objectIn(await callText(kube, request), request);
}

function objectIn(text: string, { method = 'GET', path }: ApiCall): JsonObject {
  const where = `answer to ${method} ${path}`;
  const value = parseJson(text, where);
  if (isObject(value)) return value;
  throw new KsnoopError('INVALID_MESSAGE', `The ${where} is not a JSON object.`);
}

/**
 * Make a call and read its whole answer as text.
 * @param maximum bytes of the answer
 * @throws KsnoopError as `call`, but for INVALID_MESSAGE
 */
export async function callText(kube: Kube, request: ApiCall, maximum = BODY_MAXIMUM): Promise<string> {
  const response = await open(kube, request);
  const chunks: Uint8Array[] = [];
  let length = 0;
  const stop = () => response.destroy();
  const limit = RESPONSE_TIMEOUT_MS;
  const stalled = new Deadline(limit, () => response.destroy(timeout(kube, 'answer', limit)));
  request.signal?.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of response) {
      stalled.refresh();
      chunks.push(chunk);
      length += chunk.length;
      if (length > maximum) throw tooLarge(request.path, maximum);
    }
  } catch (cause) {
    request.signal?.throwIfAborted();
    if (cause instanceof KsnoopError) throw cause;
    throw connectionFailure(kube, cause);
  } finally {
    stalled.clear();
    request.signal?.removeEventListener('abort', stop);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** One object. @throws KsnoopError NOT_FOUND and as `call` */
export function get(kube: Kube, path: string, signal?: AbortSignal): Promise<JsonObject> {
  return call(kube, { path, signal });
}

/** One object, or undefined when it does not exist. */
export async function find(kube: Kube, path: string, signal?: AbortSignal): Promise<JsonObject | undefined> {
  try {
    return await get(kube, path, signal);
  } catch (thrown) {
    if (thrown instanceof KsnoopError && thrown.code === 'NOT_FOUND') return undefined;
    throw thrown;
  }
}

/** What narrows a list or a watch. Selectors as kubectl's `-l` and `--field-selector` take them. */
export interface Selectors {
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

export interface ObjectList {
  readonly items: readonly JsonObject[];
  /** Where a watch may start. */
  readonly resourceVersion: string;
}

/** All objects of a collection, however many pages they take. @throws KsnoopError as `listPages`, ANSWER_TOO_LARGE */
export async function list(
  kube: Kube,
  path: string,
  selectors: Selectors = {},
  signal?: AbortSignal,
): Promise<ObjectList> {
  const items: JsonObject[] = [];
  const maximum = kube.lists?.bytes ?? Number.POSITIVE_INFINITY;
  let bytes = 0;
  const read = async () => {
    const resourceVersion = await listPages(kube, { path, selectors, signal }, (page, length) => {
      bytes += length;
      if (bytes > maximum) throw tooLarge(path, maximum);
      items.push(...page);
    });
    return { items, resourceVersion };
  };
  return kube.lists === undefined ? read() : kube.lists.turn(read);
}

/** A list that is read page by page. */
export interface ListCall {
  readonly path: string;
  readonly selectors: Selectors;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The objects of a collection, a page at a time: of a long one no more is in memory. Where the objects are so large that a page exceeds the
 * bound of the Kube (`lists`), the pages get shorter.
 * @param take receives the objects of each page, and the bytes of its answer
 * @returns the resource version, where a watch may start
 * @throws KsnoopError as `call`, and what `take` throws
 */
export async function listPages(
  kube: Kube,
  { path, selectors, signal }: ListCall,
  take: (page: readonly JsonObject[], bytes: number) => void,
): Promise<string> {
  let limit = LIST_PAGE;
  let token = '';
  for (;;) {
    const query = { ...selectorQuery(selectors), limit: String(limit), ...(token !== '' && { continue: token }) };
    const request = { path, query, signal };
    let text: string;
    try {
      text = await callText(kube, request, kube.lists?.pageBytes);
    } catch (thrown) {
      if (!(thrown instanceof KsnoopError && thrown.code === 'ANSWER_TOO_LARGE') || limit === 1) throw thrown;
      limit = Math.ceil(limit / SHORTER_PAGES);
      continue;
    }
    const page = objectIn(text, request);
    take(objectsAt(page, 'items'), text.length);
    const metadata = objectAt(page, 'metadata');
    token = optionalString(metadata, 'continue') ?? '';
    if (token === '') return optionalString(metadata, 'resourceVersion') ?? '';
  }
}

/** A page that is too large is asked for again with so many times fewer objects. */
const SHORTER_PAGES = 8;

function tooLarge(path: string, maximum: number): KsnoopError {
  return new KsnoopError('ANSWER_TOO_LARGE', `The answer to ${path} exceeds ${maximum} bytes.`);
}

/** Objects without their spec and status (metav1.PartialObjectMetadataList): a tenth of the bytes. */
const METADATA_ALONE = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

/** The first names of a collection, `LIST_PAGE` at most. @throws KsnoopError as `call` */
export async function listNames(kube: Kube, path: string, signal?: AbortSignal): Promise<string[]> {
  const query = { limit: String(LIST_PAGE) };
  const page = await call(kube, { path, query, accept: METADATA_ALONE, signal });
  return objectsAt(page, 'items').flatMap((item) => optionalString(objectAt(item, 'metadata'), 'name') ?? []);
}

/** The query parameters of selectors; those not given are left out. */
export function selectorQuery({ labelSelector, fieldSelector }: Selectors): Record<string, string> {
  return { ...(labelSelector && { labelSelector }), ...(fieldSelector && { fieldSelector }) };
}

export function create(kube: Kube, path: string, object: JsonObject, signal?: AbortSignal): Promise<JsonObject> {
  return call(kube, { method: 'POST', path, body: JSON.stringify(object), signal });
}

/** One permission, as RBAC names it. `resource` with its subresource: `pods/exec`. */
export interface ResourcePermission {
  readonly verb: string;
  readonly group?: string;
  readonly resource: string;
  readonly namespace?: string;
  readonly name?: string;
}

/** Ask the server whether the user has a permission (SelfSubjectAccessReview), before something fails halfway. */
export async function isAllowed(kube: Kube, permission: ResourcePermission, signal?: AbortSignal): Promise<boolean> {
  const [resource, subresource] = permission.resource.split('/');
  const review = await create(
    kube,
    resourcePath('authorization.k8s.io/v1', undefined, 'selfsubjectaccessreviews'),
    {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: {
        resourceAttributes: {
          verb: permission.verb,
          group: permission.group ?? '',
          resource,
          subresource,
          namespace: permission.namespace,
          name: permission.name,
        },
      },
    },
    signal,
  );
  return objectAt(review, 'status').allowed === true;
}

import { deadlineSignal } from '../../wire/deadline.ts';
import { KsnoopError, messageOf } from '../../wire/errors.ts';
import { isObject, objectsAt, optionalString } from '../../wire/guard.ts';
import type { RegistryCredentials } from './credentials.ts';
import { ANSWER_BYTES, REQUEST_MS, UPLOAD_MS } from './limits.ts';
import type { ImageReference } from './reference.ts';

/** Characters of a registry's own words that are shown. */
const REASON_CHARACTERS = 200;

/** Of what a token consists: visible ASCII, as the value of a header field. */
const TOKEN = /^[\x21-\x7e]+$/;

interface Call {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly url: URL;
  readonly body?: Blob | Buffer<ArrayBuffer> | undefined;
  readonly type?: string;
  /** Statuses that the caller reads itself. */
  readonly accepts: readonly number[];
}

/** One repository of a registry, as one user (OCI distribution-spec 1.1; its tokens: distribution's auth/token.md). */
export class Registry {
  readonly #reference: ImageReference;
  readonly #credentials: RegistryCredentials | undefined;
  readonly #signal: AbortSignal;
  #authorization: string | undefined;

  constructor(reference: ImageReference, credentials: RegistryCredentials | undefined, signal: AbortSignal) {
    this.#reference = reference;
    this.#credentials = credentials;
    this.#signal = signal;
  }

  /** Put a blob there. @returns false when it was there already @throws KsnoopError as `#call` has it */
  async putBlob(digest: string, bytes: Blob): Promise<boolean> {
    const there = await this.#call({ method: 'HEAD', url: this.#url(`blobs/${digest}`), accepts: [200, 404] });
    if (there.status === 200) return false;
    const begun = await this.#call({ method: 'POST', url: this.#url('blobs/uploads/'), accepts: [202] });
    const location = begun.headers.get('location');
    const base = begun.url || this.#reference.origin;
    if (location === null || !URL.canParse(location, base)) {
      throw this.#refused('It gave no address for the upload.');
    }
    const url = new URL(location, base);
    url.searchParams.set('digest', digest);
    await this.#call({ method: 'PUT', url, body: bytes, type: 'application/octet-stream', accepts: [201] });
    return true;
  }

  /** Put a manifest or index there. @param name a tag or its digest @throws KsnoopError as `#call` has it */
  async putManifest(name: string, bytes: Buffer<ArrayBuffer>, type: string): Promise<void> {
    await this.#call({ method: 'PUT', url: this.#url(`manifests/${name}`), body: bytes, type, accepts: [201] });
  }

  #url(path: string): URL {
    const { origin, repository } = this.#reference;
    return new URL(`/v2/${repository}/${path}`, origin);
  }

  /** @throws KsnoopError REGISTRY_UNREACHABLE, REGISTRY_REFUSED with the registry's own words */
  async #call(call: Call): Promise<Response> {
    let response = await this.#fetch(call);
    if (response.status === 401) {
      await response.body?.cancel();
      this.#authorization = await this.#authorize(response.headers.get('www-authenticate') ?? '');
      response = await this.#fetch(call);
    }
    if (call.accepts.includes(response.status)) {
      await response.body?.cancel();
      return response;
    }
    throw this.#refused(await reasonOf(response), response.status);
  }

  async #fetch({ method, url, body, type }: Call): Promise<Response> {
    // An upload may go to a storage of another host, which the credentials are not for.
    const isOwn = url.origin === this.#reference.origin;
    const headers = {
      ...(type !== undefined && { 'content-type': type }),
      ...(isOwn && this.#authorization !== undefined && { authorization: this.#authorization }),
    };
    return this.#send(url, { method, headers, ...(body !== undefined && { body }) });
  }

  async #send(url: URL, request: RequestInit): Promise<Response> {
    const limit = deadlineSignal(request.body === undefined ? REQUEST_MS : UPLOAD_MS);
    try {
      return await fetch(url, { ...request, signal: AbortSignal.any([this.#signal, limit]) });
    } catch (thrown) {
      this.#signal.throwIfAborted();
      const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
      throw new KsnoopError('REGISTRY_UNREACHABLE', `${url.host} cannot be reached: ${messageOf(cause)}.`, {
        hint: 'A registry with a certificate of your own: NODE_EXTRA_CA_CERTS=FILE',
        cause,
      });
    }
  }

  /** The Authorization header that a challenge asks for (RFC 9110, section 11.6.1). */
  async #authorize(challenge: string): Promise<string> {
    const credentials = this.#credentials;
    if (/^basic\b/i.test(challenge)) {
      if (credentials?.kind !== 'password') throw this.#refused('It asks for a user and a password.', 401);
      return basic(credentials.user, credentials.password);
    }
    const fields = new Map([...challenge.matchAll(/([a-z]+)="([^"]*)"/gi)].map(([, key, value]) => [key, value ?? '']));
    const realm = fields.get('realm') ?? '';
    if (!/^bearer\b/i.test(challenge) || !URL.canParse(realm))
      throw this.#refused('It asks for a login method that ksnoop does not have.', 401);
    const url = new URL(realm);
    // Credentials go over TLS, or to this machine: an origin without TLS is on it.
    const own = new URL(this.#reference.origin);
    if (url.protocol !== 'https:' && (own.protocol === 'https:' || url.hostname !== own.hostname)) {
      throw this.#refused(`It asks to log in without TLS at ${url.host}.`, 401);
    }
    const service = fields.get('service') ?? '';
    const scope = `repository:${this.#reference.repository}:pull,push`;
    const response =
      credentials?.kind === 'token'
        ? await this.#exchange(url, credentials.token, service, scope)
        : await this.#ask(url, credentials, service, scope);
    if (!response.ok) throw this.#refused(await reasonOf(response), response.status);
    const token = tokenIn(await boundedText(response));
    if (token === undefined) throw this.#refused(`${url.host} gave no token.`, 401);
    return `Bearer ${token}`;
  }

  #ask(url: URL, credentials: RegistryCredentials | undefined, service: string, scope: string): Promise<Response> {
    if (service !== '') url.searchParams.set('service', service);
    url.searchParams.set('scope', scope);
    const headers =
      credentials?.kind === 'password' ? { authorization: basic(credentials.user, credentials.password) } : {};
    return this.#send(url, { method: 'GET', headers });
  }

  #exchange(url: URL, token: string, service: string, scope: string): Promise<Response> {
    const form = { grant_type: 'refresh_token', client_id: 'ksnoop', refresh_token: token, service, scope };
    // A redirect would take the token along, wherever it leads.
    return this.#send(url, { method: 'POST', body: new URLSearchParams(form), redirect: 'manual' });
  }

  #refused(why: string, status?: number): KsnoopError {
    const { registry, repository } = this.#reference;
    const words = status === undefined ? why : `${status}${why === '' ? '' : `, ${why}`}`;
    const isLogin = status === 401 || status === 403;
    return new KsnoopError('REGISTRY_REFUSED', `The registry ${registry} refused ${repository}: ${words}`, {
      hint: isLogin ? `Log in: docker login ${registry === 'docker.io' ? '' : registry}`.trimEnd() : undefined,
    });
  }
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

/** The token of a token server's answer; undefined where there is none. */
function tokenIn(text: string): string | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    if (!isObject(answer)) return undefined;
    const token = optionalString(answer, 'token') ?? optionalString(answer, 'access_token') ?? '';
    return TOKEN.test(token) ? token : undefined;
  } catch {
    return undefined;
  }
}

/** The messages of an error (distribution-spec, Error Codes), its beginning. */
async function reasonOf(response: Response): Promise<string> {
  const text = await boundedText(response).catch(() => '');
  try {
    const answer: unknown = JSON.parse(text);
    const errors = isObject(answer) ? objectsAt(answer, 'errors') : [];
    const messages = errors.map((error) => optionalString(error, 'message') ?? '');
    return messages.join(', ').slice(0, REASON_CHARACTERS);
  } catch {
    return text.slice(0, REASON_CHARACTERS);
  }
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES) break;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

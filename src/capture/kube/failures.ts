import { KsnoopError, messageOf, systemCode } from '../../wire/errors.ts';
import { isObject, type JsonObject, optionalString } from '../../wire/guard.ts';
import { clusterWords, type Kube } from './kube.ts';
import { canICommand, parseResourcePath, ruleText, verbsOf } from './resource.ts';

/** A request that failed: enough to name the permission or object it was about. */
export interface FailedRequest {
  readonly method: string;
  /** Path of the API, without the server's own prefix. */
  readonly path: string;
  readonly watch?: boolean;
}

const LONGEST_WORDS = 500;

/** The kubelet's answer, in place of the API server's, to exec and port-forward of a pod that it has not heard of yet: it was just started. */
const UNKNOWN_TO_KUBELET = /^pod does not exist\.?$/i;

/** The Status in a refusal's body, or an empty object when a proxy or a page answered instead. */
function statusIn(body: string): JsonObject {
  try {
    const value: unknown = JSON.parse(body);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

/**
 * An answer other than success, as an error.
 * Codes: UNAUTHORIZED, FORBIDDEN, NOT_FOUND, BAD_REQUEST, CONFLICT, GONE, TOO_MANY_REQUESTS, API_ERROR.
 * @param body the answer's body: a metav1.Status, or anything
 */
export function refusal(kube: Kube, request: FailedRequest, status: number, body: string): KsnoopError {
  const reported = (optionalString(statusIn(body), 'message') ?? withoutMarkup(body)).slice(0, LONGEST_WORDS);
  switch (status) {
    case 401:
      return unauthorized(kube, reported);
    case 403:
      return forbidden(kube, request, reported);
    case 404:
      // Another attempt may succeed: the pod itself may run, and the API server has its object.
      if (UNKNOWN_TO_KUBELET.test(reported.trim())) break;
      return new KsnoopError('NOT_FOUND', reported === '' ? `${request.path} does not exist.` : sentence(reported));
    case 400:
    case 422:
      if (reported !== '') return new KsnoopError('BAD_REQUEST', sentence(reported));
      break;
    case 409:
      return new KsnoopError('CONFLICT', sentence(reported));
    case 410:
      return new KsnoopError('GONE', sentence(reported || 'the resource version asked for is too old'));
    case 429:
      return new KsnoopError('TOO_MANY_REQUESTS', `The ${clusterWords(kube)} is overloaded: ${sentence(reported)}`, {
        hint: 'Try again in a moment.',
      });
  }
  const words = sentence(reported || 'no reason given');
  const what = `answered ${status} to ${request.method} ${request.path}`;
  return new KsnoopError('API_ERROR', `The ${clusterWords(kube)} ${what}: ${words}`);
}

function unauthorized(kube: Kube, reported: string): KsnoopError {
  const words = reported === '' || reported === 'Unauthorized' ? '' : ` (${reported})`;
  return new KsnoopError(
    'UNAUTHORIZED',
    `The ${clusterWords(kube)} does not accept the credentials of context "${kube.context}"${words}.`,
    { hint: loginHint(kube) },
  );
}

function loginHint(kube: Kube): string {
  switch (kube.auth) {
    case 'certificate': {
      const ends = kube.certificateEnds;
      if (ends !== undefined && ends.getTime() < Date.now()) {
        return `The client certificate expired on ${ends.toISOString().slice(0, 10)}: get a new kubeconfig from the cluster's administrator.`;
      }
      return "This cluster does not accept the client certificate: get a new kubeconfig from the cluster's administrator.";
    }
    case 'token':
      return 'The token of the kubeconfig has expired or was revoked: get a new one (kubectl create token, or log in again).';
    case 'token-file':
      return `The token in ${kube.authDetail} has expired or was revoked: write a new one there.`;
    case 'exec':
      return `Log in again with ${kube.authDetail}, the kubeconfig's credential plugin.`;
    case 'oidc':
      return 'Log in again with the tool that wrote the kubeconfig (kubelogin, for example).';
    case 'basic':
      return 'Kubernetes no longer takes a user name and password by itself: use a token, a certificate or a plugin.';
    case 'provider':
      return `Log in again with the tool behind the "${kube.authDetail}" auth provider.`;
    case 'none':
      return `Context "${kube.context}" names no credentials: add a user to it, or choose another with --context.`;
  }
}

function forbidden(kube: Kube, request: FailedRequest, reported: string): KsnoopError {
  const address = parseResourcePath(request.path);
  const message = sentence(reported || `the ${clusterWords(kube)} forbids ${request.method} ${request.path}`);
  if (address === undefined) return new KsnoopError('FORBIDDEN', message);
  const verbs = verbsOf(request.method, address, request.watch === true);
  const place = address.namespace === undefined ? 'a ClusterRole' : `a Role in namespace ${address.namespace}`;
  // The server's message names the verb that failed; without it the last needed is the likely one.
  const verb = verbs.find((needed) => reported.includes(`cannot ${needed} `)) ?? verbs.at(-1) ?? 'get';
  return new KsnoopError('FORBIDDEN', message, {
    hint: `Ask for this rule in ${place}: ${ruleText(address, verbs)} (to check: ${canICommand(address, verb, kube.context)}).`,
  });
}

/** Errors of OpenSSL and Node's TLS about the server's certificate (openssl verify, X509_V_ERR). */
const UNKNOWN_AUTHORITY = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
]);

const NETWORK_WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there (connection refused)',
  ENOTFOUND: 'its name is not known to DNS',
  EAI_AGAIN: 'DNS does not answer',
  ECONNRESET: 'the connection was cut before an answer came',
  EPIPE: 'the connection was cut before an answer came',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no network to it',
  ETIMEDOUT: 'it does not answer',
};

/**
 * A connection that did not come about or broke, as an error.
 * Codes: UNREACHABLE, TIMEOUT, CERTIFICATE_EXPIRED, CERTIFICATE_UNKNOWN, CERTIFICATE_NAME, TLS_FAILED.
 */
export function connectionFailure(kube: Kube, cause: unknown): KsnoopError {
  if (cause instanceof KsnoopError) return cause;
  const code = systemCode(cause) ?? '';
  const cluster = clusterWords(kube);
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    const when = code === 'CERT_HAS_EXPIRED' ? 'has expired' : 'is not valid yet';
    return new KsnoopError('CERTIFICATE_EXPIRED', `The certificate of the ${cluster} ${when}.`, {
      hint: "Check this machine's clock, and ask the cluster's administrator to renew it.",
      cause,
    });
  }
  if (UNKNOWN_AUTHORITY.has(code)) {
    return new KsnoopError(
      'CERTIFICATE_UNKNOWN',
      `The certificate of the ${cluster} was not issued by the authority in the kubeconfig.`,
      {
        hint: 'Get a new kubeconfig: the cluster was rebuilt, or another server answers at this address.',
        cause,
      },
    );
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return new KsnoopError(
      'CERTIFICATE_NAME',
      `The certificate of the ${cluster} is for another name: ${sentence(messageOf(cause))}`,
      { hint: 'Use a name the certificate has as the server, or set tls-server-name in the kubeconfig.', cause },
    );
  }
  if (code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_') || code === 'EPROTO') {
    return new KsnoopError('TLS_FAILED', `TLS with the ${cluster} failed: ${sentence(messageOf(cause))}`, {
      hint:
        kube.auth === 'certificate' ? loginHint(kube) : 'Is this address the API server, and not a plain HTTP port?',
      cause,
    });
  }
  const why = NETWORK_WORDS[code] ?? messageOf(cause);
  return new KsnoopError('UNREACHABLE', `The ${cluster} cannot be reached: ${sentence(why)}`, {
    hint: `Is it running, and is "${kube.context}" the context you mean?`,
    cause,
  });
}

/** No connection, or no answer on it, in time. */
export function timeout(kube: Kube, doing: 'connect' | 'answer', milliseconds: number): KsnoopError {
  const what = doing === 'connect' ? 'cannot be reached: no connection' : 'does not answer: nothing came';
  return new KsnoopError('TIMEOUT', `The ${clusterWords(kube)} ${what} within ${milliseconds / 1000} s.`, {
    hint: 'Is a VPN or a proxy needed to reach it?',
  });
}

function sentence(text: string): string {
  const trimmed = text.trim();
  const capital = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}

/** Characters of an answer's page that are looked at: an error's words come early. */
const PAGE_MAXIMUM = 64 * 1024;

/** The text of an HTML page, in time linear in it: what is not closed ends with the page. */
function withoutMarkup(body: string): string {
  return body
    .slice(0, PAGE_MAXIMUM)
    .replace(/<script[\s\S]*?(?:<\/script>|$)|<style[\s\S]*?(?:<\/style>|$)/gi, ' ')
    .replace(/<[^>]*(?:>|$)/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

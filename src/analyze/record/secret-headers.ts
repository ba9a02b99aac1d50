import { maskChallenges } from './challenges.ts';
import { MASK } from './mask.ts';
import { maskTarget, maskText } from './secrets.ts';
import { CacheOfTexts } from './text-cache.ts';

/** Header fields whose values are secrets, whatever they look like, by the last words of their names. */
const SECRET_HEADER =
  /(?:^|[-_.])(?:authorization|(?:set-)?cookie2?|tokens?|secret|passw(?:or)?d|passcode|key|auth|jwt|credentials?|assertion|signature|oidc-data|oidc-identity)(?:-bin)?$/;

/** Identifiers, digests and negotiation: shown as they are. */
const SHOWN_AS_IT_IS: ReadonlySet<string> = new Set(
  (
    'accept accept-charset accept-encoding accept-language accept-ranges access-control-allow-credentials ' +
    'access-control-allow-headers access-control-allow-methods access-control-allow-origin ' +
    'access-control-expose-headers access-control-max-age access-control-request-headers ' +
    'access-control-request-method age allow alt-svc cache-control connection content-disposition content-encoding ' +
    'content-language content-length content-md5 content-range content-type date digest etag expect expires ' +
    'grpc-accept-encoding grpc-encoding grpc-status grpc-timeout host if-match if-modified-since if-none-match ' +
    'if-range if-unmodified-since keep-alive last-modified pragma priority range retry-after sec-ch-ua ' +
    'sec-ch-ua-mobile sec-ch-ua-platform sec-fetch-dest sec-fetch-mode sec-fetch-site sec-fetch-user ' +
    'sec-websocket-accept sec-websocket-extensions sec-websocket-key sec-websocket-version ' +
    'strict-transport-security te trailer transfer-encoding upgrade upgrade-insecure-requests vary ' +
    'x-content-type-options x-forwarded-for x-forwarded-port x-forwarded-proto x-forwarded-scheme ' +
    'x-frame-options x-powered-by x-real-ip x-requested-with x-xss-protection ' +
    'b3 uber-trace-id baggage-id request-id traceparent x-amz-cf-id x-amz-id-2 x-amz-request-id x-amzn-requestid x-amzn-trace-id ' +
    'x-b3-flags x-b3-parentspanid x-b3-sampled x-b3-spanid x-b3-traceid x-cloud-trace-context x-correlation-id ' +
    'x-datadog-parent-id x-datadog-trace-id x-ms-request-id x-ms-client-request-id x-request-id x-trace-id ' +
    'x-envoy-attempt-count x-envoy-decorator-operation x-envoy-expected-rq-timeout-ms ' +
    'x-envoy-upstream-service-time x-kubernetes-pf-flowschema-uid x-kubernetes-pf-prioritylevel-uid audit-id'
  ).split(' '),
);

/** Their values are texts or URLs: shown, with the secrets in them masked. */
const SHOWN_MASKED: ReadonlySet<string> = new Set(
  (
    'content-location content-security-policy server user-agent via x-forwarded-host forwarded from grpc-message grpc-status-details-bin link location ' +
    'origin referer referrer-policy sec-websocket-protocol server-timing tracestate warning ' +
    'x-envoy-original-path x-forwarded-prefix x-forwarded-uri x-original-uri x-original-url ' +
    'x-stream-protocol-version x-accel-redirect x-app x-cache x-cache-status x-runtime x-served-by x-timer x-version :authority :path :scheme'
  ).split(' '),
);

/** Values that hold no secret under whatever name: numbers, intervals, a short word. */
const HARMLESS = /^(?:[-+]?\d{1,12}(?:\.\d{1,6})?(?:ms|s|m|h)?|[a-z]{1,10}|[A-Z]{1,10})$/;

/**
 * A header field's value, or that of a call's metadata. Fields of a list are shown; all others only where their value
 * cannot be a secret.
 * @param name in lower case
 */
export function maskField(name: string, value: string): string {
  if (SHOWN_AS_IT_IS.has(name)) return name === 'host' ? maskTarget(value) : SCHEME.test(value) ? MASK : value;
  if (SECRET_HEADER.test(name)) return MASK;
  if (name === 'www-authenticate' || name === 'proxy-authenticate') return maskChallenges(value);
  if (SHOWN_MASKED.has(name)) {
    if (SCHEME.test(value)) return MASK;
    return value.length > CACHED_CHARACTERS
      ? masked(value)
      : (texts.known(value) ?? texts.of(value, '', () => masked(value)));
  }
  return value === '' || HARMLESS.test(value) ? value : MASK;
}

function masked(value: string): string {
  return maskText(maskTarget(value));
}

/** Most clients and servers name themselves alike in every message; longer values do not come often. */
const CACHED_CHARACTERS = 2048;
const texts = new CacheOfTexts();

/** A value that is an Authorization's, under a name that should not hold one. */
const SCHEME = /^(?:bearer|basic|negotiate|ntlm|digest|aws4-hmac-sha256)[ \t]/i;

import type { Fields, FieldValue } from '../../analyze/record/event.ts';
import type { EventRecord } from '../../analyze/record/record.ts';

/** A token of HTTP (RFC 9110, 5.6.2): what a method and a field's name are made of. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** A host with an optional port, as it stands in a URL (RFC 3986, 3.2.2); nothing in it ends the host or names a user. */
const AUTHORITY = /^(?:[0-9A-Za-z._~-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

export interface HeaderField {
  readonly name: string;
  readonly value: string;
}

/** One HTTP request as other programs take it. Texts are not sanitised; secrets are masked. */
export interface HttpRequest {
  readonly method: string;
  /** Absolute, with a host that is one. */
  readonly url: string;
  /** The target as it was sent, where no URL has it: `*`, or one with a `#`. */
  readonly target?: string;
  /** `HTTP/1.1`. */
  readonly version: string;
  readonly headers: readonly HeaderField[];
}

/** The request of an exchange; undefined where its method or target was not seen, or are none of HTTP. */
export function httpRequest(record: EventRecord, http: Fields): HttpRequest | undefined {
  const method = text(http.method);
  const path = text(http.path);
  if (path === '' || !TOKEN.test(method)) return undefined;
  const url = absolute(path, text(http.host), record);
  if (url === undefined) return undefined;
  const request = { method, url, version: httpVersion(http), headers: fieldsOf(http.requestHeaders) };
  return path === '*' || path.includes('#') ? { ...request, target: path } : request;
}

/** `HTTP/1.1`, `HTTP/2`. */
export function httpVersion(http: Fields): string {
  const version = text(http.version);
  return version === '' || version.startsWith('HTTP/') ? version : `HTTP/${version}`;
}

/** Header fields in their order; without those whose names are none. */
export function fieldsOf(value: FieldValue | undefined): HeaderField[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, field]) =>
    typeof field === 'string' && TOKEN.test(name) ? [{ name, value: field }] : [],
  );
}

function text(value: FieldValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** A target in one of its forms (RFC 9112, 3.2) as a URL. CONNECT has none. */
function absolute(path: string, host: string, { dst }: EventRecord): string | undefined {
  if (/^https?:\/\/[^/]/i.test(path)) {
    const authority = /^https?:\/\/([^/?#]*)/i.exec(path)?.[1] ?? '';
    return AUTHORITY.test(authority) ? path : undefined;
  }
  const authority = AUTHORITY.test(host) ? withPort(host, dst) : address(dst);
  if (authority === undefined || (!path.startsWith('/') && path !== '*')) return undefined;
  return `http://${authority}${path === '*' ? '/' : path}`;
}

/**
 * A host with the port that the packets went to, where it names none. Not at a pod: a Service may have translated the port that
 * the client used.
 */
function withPort(host: string, dst: EventRecord['dst']): string {
  if (dst?.port === undefined || dst.port === 80 || dst.pod !== undefined || /:\d+$/.test(host.replace(/^\[.*\]/, '')))
    return host;
  return `${host}:${dst.port}`;
}

function address(peer: EventRecord['dst']): string | undefined {
  if (peer?.ip === undefined) return undefined;
  const host = peer.ip.includes(':') ? `[${peer.ip}]` : peer.ip;
  return peer.port === undefined || peer.port === 80 ? host : `${host}:${peer.port}`;
}

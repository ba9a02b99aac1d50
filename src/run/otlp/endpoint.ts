import { readFileSync } from 'node:fs';
import { EXIT, KsnoopError } from '../../wire/errors.ts';
import type { Attributes } from './attributes.ts';
import type { Signal } from './choices.ts';

/** Where telemetry is sent, and how: complete, validated, never changed. */
export interface Endpoint {
  /** By signal; none for one that is not sent. */
  readonly urls: Readonly<Partial<Record<Signal, URL>>>;
  readonly headers: Readonly<Record<string, string>>;
  /** Certificates of authorities, PEM; undefined: those of the system. */
  readonly ca: string | undefined;
  /** Attributes that every resource gets. */
  readonly resource: Attributes;
}

/** What the user typed, and the variables of OpenTelemetry's specification for exporters. */
export interface RawEndpoint {
  readonly url: string | undefined;
  /** `K=V` */
  readonly headers: readonly string[];
  readonly ca: string | undefined;
  readonly signals: readonly Signal[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** There may be no receiver: somebody else gets the data. */
  readonly optional?: boolean | undefined;
}

/** What headers may hold (RFC 9110, sections 5.1 and 5.5). */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** @throws KsnoopError USAGE (exit 2), CANNOT_READ */
export function completeEndpoint({ url, headers, ca, signals, environment, optional }: RawEndpoint): Endpoint {
  const base = url ?? environment.OTEL_EXPORTER_OTLP_ENDPOINT;
  const own = (signal: Signal) =>
    url === undefined ? environment[`OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_ENDPOINT`] : undefined;
  const urls: Partial<Record<Signal, URL>> = {};
  for (const signal of signals) {
    const whole = own(signal);
    if (whole) urls[signal] = parsed(whole);
    else if (base) urls[signal] = below(parsed(base), `v1/${signal}`);
  }
  if (Object.keys(urls).length === 0 && optional !== true) {
    throw wrong(
      'There is no receiver of OpenTelemetry data.',
      'Name one: --otlp http://collector.monitoring:4318; or set OTEL_EXPORTER_OTLP_ENDPOINT.',
    );
  }
  const certificate = ca ?? (environment.OTEL_EXPORTER_OTLP_CERTIFICATE || undefined);
  return {
    urls,
    headers: { ...pairsIn(environment.OTEL_EXPORTER_OTLP_HEADERS), ...headersOf(headers) },
    ca: certificate === undefined ? undefined : read(certificate),
    resource: pairsIn(environment.OTEL_RESOURCE_ATTRIBUTES),
  };
}

/** An endpoint as messages show it: without the credentials that a URL may hold. */
export function shownUrl({ origin, pathname }: URL): string {
  return origin + pathname;
}

function parsed(text: string): URL {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw wrong(
      'The receiver of OpenTelemetry data is not an http or https URL.',
      'For example: --otlp http://localhost:4318',
    );
  }
  return url;
}

/** Below the path of a URL; its query stays. */
function below(base: URL, path: string): URL {
  const url = new URL(base);
  url.pathname = `${base.pathname.replace(/\/+$/, '')}/${path}`;
  return url;
}

/** `key=value,…`, values percent-encoded (OpenTelemetry's specification of OTEL_EXPORTER_OTLP_HEADERS). What is no pair is left out. */
function pairsIn(text = ''): Record<string, string> {
  const pairs = text.split(',').flatMap((pair) => {
    const at = pair.indexOf('=');
    const key = pair.slice(0, Math.max(0, at)).trim();
    return key === '' ? [] : [[key, decoded(pair.slice(at + 1).trim())] as const];
  });
  return Object.fromEntries(pairs);
}

function headersOf(typed: readonly string[]): Record<string, string> {
  const pairs = typed.map((text) => {
    const at = text.indexOf('=');
    const [name, value] = [text.slice(0, Math.max(0, at)).trim(), text.slice(at + 1).trim()];
    // The value may be a secret: no message shows it.
    if (!HEADER_NAME.test(name) || !HEADER_VALUE.test(value)) {
      throw wrong('--otlp-header takes NAME=VALUE.', 'For example: --otlp-header "Authorization=Bearer $TOKEN"');
    }
    return [name, value] as const;
  });
  return Object.fromEntries(pairs);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new KsnoopError('CANNOT_READ', `The certificates of --otlp-ca cannot be read: ${why}.`);
  }
}

function wrong(message: string, hint: string): KsnoopError {
  return new KsnoopError('USAGE', message, { hint, exit: EXIT.usage });
}

import { readFileSync } from 'node:fs';
import type { Observation } from '../../capture/install/observe/observation.ts';
import { commaList } from '../../run/capture/target-query.ts';
import { SIGNALS, type SpanChoice } from '../../run/otlp/choices.ts';
import { KsnoopError, messageOf } from '../../wire/errors.ts';
import { usage } from '../usage.ts';
import { durationOf } from '../values.ts';

/** The flags of `install --observe`, as commander hands them over. */
export interface RawObserveOptions {
  readonly observe?: readonly string[];
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly selector?: string;
  readonly otlp?: string;
  readonly otlpHeadersSecret?: string;
  readonly otlpCa?: string;
  readonly signals?: string;
  readonly spans?: SpanChoice;
  readonly interval?: string;
  readonly where?: string;
  readonly prometheusPort?: string;
}

/** Flags that have a meaning with --observe alone. */
const FLAGS = {
  namespace: '-n',
  allNamespaces: '-A',
  selector: '-l',
  otlp: '--otlp',
  otlpHeadersSecret: '--otlp-headers-secret',
  otlpCa: '--otlp-ca',
  signals: '--signals',
  spans: '--spans',
  interval: '--interval',
  where: '--where',
  prometheusPort: '--prometheus-port',
} as const;

/** A ConfigMap takes 1 MiB; the certificates of a system are a quarter of it. */
const CA_BYTES = 512 * 1024;
/** The name of a Secret (RFC 1123 subdomain). */
const SECRET = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/**
 * What `install --observe` is to install; undefined without --observe.
 * @param home the context's namespace
 * @throws KsnoopError USAGE (exit 2), CANNOT_READ
 */
export function completeObservation(raw: RawObserveOptions, home: string): Observation | undefined {
  if (raw.observe === undefined) {
    const alien = (Object.keys(FLAGS) as (keyof typeof FLAGS)[]).find((key) => raw[key] !== undefined);
    if (alien === undefined) return undefined;
    throw usage(`${FLAGS[alien]} belongs to --observe.`, 'For example: install --observe svc/web -n shop --otlp URL');
  }
  if (raw.allNamespaces && raw.namespace !== undefined) throw usage('-A and -n exclude each other.');
  if (raw.otlp === undefined && raw.prometheusPort === undefined) {
    throw usage(
      '--observe needs a receiver of what is found.',
      'Name one: --otlp http://collector.monitoring:4318; or let Prometheus scrape: --prometheus-port 9464',
    );
  }
  const namespaces = raw.allNamespaces ? undefined : [...new Set(commaList(raw.namespace ?? home))];
  if (namespaces?.length === 0) throw usage('-n takes a value.');
  const { otlpHeadersSecret: headersSecret } = raw;
  if (headersSecret !== undefined && !SECRET.test(headersSecret)) {
    throw usage(`--otlp-headers-secret takes the name of a Secret, not "${headersSecret}".`);
  }
  const port = raw.prometheusPort === undefined ? undefined : portOf(raw.prometheusPort);
  return {
    targets: raw.observe,
    namespaces,
    selector: raw.selector,
    flags: flagsOf(raw, port),
    headersSecret,
    port,
    ca: raw.otlpCa === undefined ? undefined : certificates(raw.otlpCa),
  };
}

function flagsOf({ otlp, signals, spans, interval, where }: RawObserveOptions, port: number | undefined): string[] {
  if (otlp !== undefined) checkUrl(otlp);
  for (const signal of signals === undefined ? [] : commaList(signals)) {
    if (!SIGNALS.some((known) => known === signal))
      throw usage(`--signals takes ${SIGNALS.join(', ')}, not "${signal}".`);
  }
  if (interval !== undefined) durationOf(interval, '--interval');
  const given = {
    '--otlp': otlp,
    '--signals': signals,
    '--spans': spans,
    '--interval': interval,
    '--where': where,
    '--prometheus-listen': port === undefined ? undefined : `0.0.0.0:${port}`,
  };
  return Object.entries(given).flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]));
}

/** Its command line can be read by whoever may read the Deployment. */
function checkUrl(text: string): void {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw usage('--otlp takes an http or https URL.', 'For example: --otlp http://collector.monitoring:4318');
  }
  if (url.username === '' && url.password === '') return;
  throw usage(
    '--otlp with a password is not installed: whoever may read the Deployment would see it.',
    'Put the header Authorization into a Secret: --otlp-headers-secret NAME (docs/opentelemetry.md)',
  );
}

function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  // Ports below are for root.
  if (port >= 1024 && port <= 65_535) return port;
  throw usage(`--prometheus-port takes a port from 1024 to 65535, not "${text}".`);
}

function certificates(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new KsnoopError('CANNOT_READ', `The certificates of --otlp-ca cannot be read: ${messageOf(cause)}.`, {
      cause,
    });
  }
  const isPem = text.includes('-----BEGIN CERTIFICATE-----') && !text.includes('PRIVATE KEY-----');
  if (isPem && text.length <= CA_BYTES) return text;
  throw usage(
    `--otlp-ca takes a file of certificates (PEM) without private keys, at most ${CA_BYTES / 1024} KiB.`,
    'Anyone who may read ConfigMaps in namespace ksnoop can read it.',
  );
}

import { AnalysisSession } from '../../src/analyze/engine/session.ts';
import type { SpanChoice } from '../../src/run/otlp/choices.ts';
import { completeEndpoint } from '../../src/run/otlp/endpoint.ts';
import { Exporter } from '../../src/run/otlp/exporter.ts';
import { telemetryForm } from '../../src/run/otlp/form.ts';
import { plainSettings } from './analysis-session.ts';
import { OtlpReceiver } from './otlp-receiver.ts';

/** An attribute of OTLP/JSON. */
export interface Value {
  key: string;
  value: Record<string, unknown>;
}

/** A span of OTLP/JSON. */
export interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  flags: number;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: Value[];
  status: { code?: number };
  links?: { traceId: string; spanId: string; attributes: Value[] }[];
}

export interface ExportSettings {
  readonly spans?: SpanChoice;
  readonly environment?: Readonly<Record<string, string>>;
  readonly joins?: boolean;
  /** Texts by address. */
  readonly names?: Readonly<Record<string, string>>;
}

/** What a receiver of OTLP gets of a capture. */
export async function exported(
  bytes: Uint8Array,
  { spans = 'all', environment = {}, joins = false, names = {} }: ExportSettings = {},
) {
  const receiver = new OtlpReceiver();
  try {
    const url = await receiver.listen();
    const signals = ['metrics', 'traces', 'logs'] as const;
    const endpoint = completeEndpoint({ url, headers: [], ca: undefined, signals, environment });
    const exporter = new Exporter({ endpoint, live: false, warn: () => undefined });
    const settings = { exporter, spans, intervalMs: 10_000, resource: endpoint.resource, joins };
    const session = new AnalysisSession(await telemetryForm(settings).load(), plainSettings());
    session.addNames(Object.entries(names).map(([address, name]) => ({ address, names: [name] })));
    session.push(bytes);
    session.end();
    await session.waiting;
    const bodies = (signal: string) =>
      receiver.received.filter(({ path }) => path === `/v1/${signal}`).map(({ body }) => body);
    const traces = bodies('traces') as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] }[];
    return {
      session,
      metrics: bodies('metrics'),
      spans: traces.flatMap(({ resourceSpans }) =>
        resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)),
      ),
      logs: bodies('logs'),
    };
  } finally {
    receiver.close();
  }
}

import type { AnalysisOutput } from '../../analyze/engine/output.ts';
import type { AnalysisSession } from '../../analyze/engine/session.ts';
import type { Finding } from '../../analyze/findings/finding.ts';
import type { FlowIdentity, FlowInfo } from '../../analyze/flow/flow-facts.ts';
import type { PacketView } from '../../analyze/packet/packet.ts';
import { type AnalysisEvent, type Exchange, SIDE } from '../../analyze/record/event.ts';
import { statusCode } from '../../analyze/summary/status-code.ts';
import { Summary } from '../../analyze/summary/summary.ts';
import { counted } from '../../view/units.ts';
import { Found } from '../analysis/found.ts';
import { type Attributes, withAttributes } from './attributes.ts';
import { logsRequest, type Owned, tracesRequest } from './by-resource.ts';
import type { SpanChoice } from './choices.ts';
import { collect } from './collect.ts';
import { observedSide } from './conventions.ts';
import { DurationRows, NO_HOST } from './duration-rows.ts';
import type { Exporter } from './exporter.ts';
import { JoinedSpans, type SpanPlace } from './joined-spans.ts';
import { logOf } from './logs.ts';
import { metricsRequest } from './metrics-request.ts';
import { type Point, Points } from './points.ts';
import { prometheusText } from './prometheus-text.ts';
import type { ScrapeServer } from './scrape-server.ts';
import { SeriesLimit } from './series.ts';
import { type SpanContext, spanOf } from './spans.ts';

/** Spans of one message. */
const SPANS_PER_MESSAGE = 512;
/** How often a running capture is judged, ms: findings need all that was counted. */
const FINDINGS_EVERY_MS = 60_000;

/** What is exported, and how often. */
export interface TelemetrySettings {
  readonly exporter: Exporter;
  readonly spans: SpanChoice;
  /** Of metrics, ms: of a running capture by the clock, of a file by the times of its packets. */
  readonly intervalMs: number;
  /** Attributes that every resource gets. */
  readonly resource: Attributes;
  /** Where Prometheus gets the metrics, too. */
  readonly scrape?: ScrapeServer | undefined;
  /** Spans of calls are joined with those of the requests that they were made because of. Takes all events and packets: not with `--where`. */
  readonly joins?: boolean | undefined;
}

/** What an analysis finds as metrics, spans and log records of OpenTelemetry (docs/opentelemetry.md). */
export class Telemetry implements AnalysisOutput {
  readonly #session: AnalysisSession;
  readonly #settings: TelemetrySettings;
  readonly #live: boolean;
  readonly #summary: Summary;
  readonly #durations = new DurationRows();
  readonly #found: Found;
  readonly #joined: JoinedSpans | undefined;
  readonly #series = new SeriesLimit();
  readonly #began = BigInt(Date.now()) * 1_000_000n;
  #findings: readonly Finding[] = [];
  /** Findings that were sent, by code and subject: of how many cases. */
  readonly #logged = new Map<string, number>();
  #spans: Owned[] = [];
  #retransmissions = 0;
  /** Times of the last metrics and the last judgement: of a file of its packets, ns. */
  #collectedAt = 0;
  #judgedAt = performance.now();
  readonly #timer: NodeJS.Timeout | undefined;
  #closed: Promise<void> | undefined;

  constructor(session: AnalysisSession, live: boolean, settings: TelemetrySettings) {
    this.#session = session;
    this.#live = live;
    this.#settings = settings;
    this.#summary = new Summary(session.capture.analysis.hosts, session.names);
    this.#found = new Found(session);
    if (settings.joins === true) {
      this.#joined = new JoinedSpans(session, live, (exchange, flow, place) => this.#addSpan(exchange, flow, place));
    }
    settings.scrape?.serve(() => prometheusText(this.#points()));
    if (live) this.#timer = setInterval(() => this.#tick(), settings.intervalMs).unref();
  }

  event(event: AnalysisEvent, flow: FlowInfo): void {
    this.#summary.event(event, flow);
    this.#found.event(event, flow);
    this.#joined?.event(event, flow);
    if (event.kind !== 'exchange' || flow.sameAs !== undefined) return;
    this.#count(event, flow);
    if (this.#joined === undefined) this.#addSpan(event, flow);
    if (this.#live) return;
    const { now } = this.#session.capture.analysis.clock;
    if (now - this.#collectedAt >= this.#settings.intervalMs * 1e6) {
      this.#collectedAt = now;
      this.#sendMetrics();
    }
  }

  flowEnded(flow: FlowInfo): void {
    this.#summary.flowEnded(flow);
    this.#found.flowEnded(flow);
    this.#joined?.flowEnded(flow);
  }

  packet(packet: PacketView): void {
    this.#joined?.packet(packet);
  }

  legJoined(flow: FlowInfo): void {
    this.#joined?.legJoined(flow);
  }

  end(): void {
    clearInterval(this.#timer);
    this.#joined?.end();
    this.#judge(true);
    this.#sendSpans();
    this.#sendMetrics();
    this.#closed = this.#settings.exporter.close();
  }

  waiting(): Promise<void> | undefined {
    return this.#closed ?? this.#settings.exporter.waiting();
  }

  notes(): readonly string[] {
    const { sent, dropped } = this.#settings.exporter;
    const words = { metrics: 'data point', traces: 'span', logs: 'log record' } as const;
    const list = (counts: typeof sent) =>
      (['metrics', 'traces', 'logs'] as const).map((signal) => counted(counts[signal], words[signal])).join(', ');
    // Only Prometheus gets them, by scraping.
    const isSent = (['metrics', 'traces', 'logs'] as const).some((signal) => this.#settings.exporter.wants(signal));
    if (!isSent && this.#settings.scrape !== undefined) return this.#found.notes();
    const lost = dropped.metrics + dropped.traces + dropped.logs;
    return [
      `exported ${list(sent)}`,
      ...(lost === 0 ? [] : [`not delivered: ${list(dropped)}`]),
      ...(this.#joined?.notes() ?? []),
      ...this.#found.notes(),
    ];
  }

  #count(exchange: Exchange, flow: FlowInfo): void {
    const server = this.#summary.serverOf(exchange, flow);
    const isClient = observedSide(exchange.protocol) === SIDE.client;
    const client = isClient ? this.#summary.clientOf(exchange, flow) : NO_HOST;
    this.#durations.add(server, typeof client === 'string' ? NO_HOST : client, exchange);
  }

  /** Of a request that is a probe's, or of which it is not known when it began or what it answers, there is no span. */
  #mayBeSpan({ probe, incomplete }: Exchange): boolean {
    const { spans, exporter } = this.#settings;
    if (spans === 'none' || probe === true || !exporter.wants('traces')) return false;
    return incomplete !== 'request not seen' && incomplete !== 'unknown';
  }

  /**
   * @param place where it is joined with others
   * @returns what spans below it need; undefined where it has no part in a trace
   */
  #addSpan(exchange: Exchange, flow: FlowIdentity, place?: SpanPlace): SpanContext | undefined {
    const { above } = place ?? {};
    // What is below it is, all the same, below what is above it.
    if (!this.#mayBeSpan(exchange)) return above?.confidence === 'proven' ? above.context : undefined;
    const { spans } = this.#settings;
    const isChosen = spans !== 'failed' || exchange.failed;
    if (!isChosen && place?.hasCalls !== true) return undefined;
    const { clock } = this.#session.capture.analysis;
    const { time, requestEnd, responseTime, responseEnd, probe = false } = exchange;
    const last = Math.max(time, requestEnd, responseTime ?? time, responseEnd ?? time);
    const { span, resource, context } = spanOf({
      record: this.#session.recorder.event(exchange, flow),
      status: statusCode(exchange),
      probe,
      start: clock.absolute(time),
      end: clock.absolute(last),
      ...place,
    });
    if (!isChosen || (spans === 'sampled' && context.sampled !== true)) return context;
    this.#spans.push({ resource: this.#with(resource), item: span });
    if (this.#spans.length >= SPANS_PER_MESSAGE) this.#sendSpans();
    return context;
  }

  #tick(): void {
    if (performance.now() - this.#judgedAt >= FINDINGS_EVERY_MS) this.#judge(false);
    this.#sendSpans();
    this.#sendMetrics();
  }

  #sendSpans(): void {
    const spans = this.#spans;
    this.#spans = [];
    this.#settings.exporter.send('traces', tracesRequest(spans), spans.length);
  }

  #sendMetrics(): void {
    const { exporter } = this.#settings;
    const { span } = this.#session;
    if (span === undefined || !exporter.wants('metrics')) return;
    const all = this.#points();
    exporter.send('metrics', metricsRequest(all, this.#times(span)), all.length);
  }

  /** Every series now; none before the first packet. */
  #points(): Point[] {
    if (this.#session.span === undefined) return [];
    const { exporter, resource } = this.#settings;
    this.#retransmissions += this.#session.capture.analysis.takeRetransmissions();
    const points = new Points(this.#series, resource);
    collect(points, {
      session: this.#session,
      durations: this.#durations,
      summary: this.#summary,
      findings: this.#findings,
      retransmissions: this.#retransmissions,
      dropped: exporter.dropped,
    });
    return [...points.all()];
  }

  /** A running capture's data is of now; that of a file is of its packets. */
  #times(span: { readonly first: number; readonly last: number }): { start: bigint; now: bigint } {
    if (this.#live) return { start: this.#began, now: BigInt(Date.now()) * 1_000_000n };
    const { clock } = this.#session.capture.analysis;
    return { start: clock.absolute(span.first), now: clock.absolute(span.last) };
  }

  /** Send findings that are new. @param atEnd also those of which there are more cases than were sent */
  #judge(atEnd: boolean): void {
    this.#judgedAt = performance.now();
    const { span } = this.#session;
    if (span === undefined) return;
    this.#findings = this.#found.list();
    const { clock } = this.#session.capture.analysis;
    const observed = this.#times(span).now;
    const records: Owned[] = [];
    for (const finding of this.#findings) {
      const key = `${finding.code} ${finding.subject}`;
      const before = this.#logged.get(key);
      if (before !== undefined && (!atEnd || before === finding.cases)) continue;
      this.#logged.set(key, finding.cases);
      const first = finding.evidence.find(({ times }) => times !== undefined)?.times?.[0];
      const { resource, record } = logOf(finding, { time: clock.absolute(first ?? span.first), observed });
      records.push({ resource: this.#with(resource), item: record });
    }
    this.#settings.exporter.send('logs', logsRequest(records), records.length);
  }

  #with(resource: Attributes): Attributes {
    return withAttributes(this.#settings.resource, resource);
  }
}

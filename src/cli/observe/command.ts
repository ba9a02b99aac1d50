import { SIGNALS, type Signal, type SpanChoice } from '../../run/otlp/choices.ts';
import { completeEndpoint } from '../../run/otlp/endpoint.ts';
import { Exporter } from '../../run/otlp/exporter.ts';
import { telemetryForm } from '../../run/otlp/form.ts';
import { type ScrapeAddress, ScrapeServer } from '../../run/otlp/scrape-server.ts';
import type { ExitCode } from '../../wire/errors.ts';
import { captureCommand } from '../capture/command.ts';
import type { RawCaptureOptions } from '../capture/options.ts';
import { captureFiles } from '../capture-files.ts';
import { logger } from '../logger.ts';
import { usage } from '../usage.ts';
import { durationOf } from '../values.ts';

export interface ObserveOptions extends RawCaptureOptions {
  readonly otlp?: string;
  readonly otlpHeader: readonly string[];
  readonly otlpCa?: string;
  readonly signals: string;
  readonly spans: SpanChoice;
  readonly interval: string;
  readonly prometheusListen?: string;
}

/** @throws KsnoopError USAGE, OTLP_FAILED, and as captures and readings have it */
export async function observeCommand(words: readonly string[], options: ObserveOptions): Promise<ExitCode> {
  const { otlp, otlpHeader, otlpCa, signals, spans, interval, prometheusListen, ...others } = options;
  const endpoint = completeEndpoint({
    url: otlp,
    headers: otlpHeader,
    ca: otlpCa,
    signals: signalsOf(signals),
    environment: process.env,
    optional: prometheusListen !== undefined,
  });
  const address = prometheusListen === undefined ? undefined : scrapeAddress(prometheusListen);
  const intervalMs = durationOf(interval, '--interval');
  const live = !captureFiles(words);
  const log = logger({ quiet: others.quiet === true, verbose: others.verbose === true });
  const exporter = new Exporter({ endpoint, live, warn: log.warn });
  const joins = spans !== 'none' && exporter.wants('traces') && others.where === undefined;
  const settings = { exporter, spans, intervalMs, resource: endpoint.resource, joins };
  if (live) {
    const scrape = address === undefined ? undefined : await ScrapeServer.listen(address);
    if (scrape !== undefined) log.info(`Prometheus can scrape http://${address?.host}:${scrape.port}/metrics`);
    try {
      return await captureCommand(
        words,
        { ...others, output: 'text' },
        { form: telemetryForm({ ...settings, scrape }) },
      );
    } finally {
      scrape?.close();
    }
  }
  if (address !== undefined)
    throw usage(
      '--prometheus-listen is for a running capture: Prometheus gives the time of the scrape to what it gets.',
      'Files: --otlp URL',
    );
  const [{ readCommand }, { readingOptions }] = await Promise.all([
    import('../read/command.ts'),
    import('../read/options.ts'),
  ]);
  return readCommand(words, { ...readingOptions(others), output: 'text' }, telemetryForm(settings));
}

/** @param text `127.0.0.1:9464`, `[::]:9464` */
function scrapeAddress(text: string): ScrapeAddress {
  const [, host = '', port = ''] = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]+):(\d{1,5})$/.exec(text) ?? [];
  if (host === '' || Number(port) > 65_535) {
    throw usage(
      `--prometheus-listen takes ADDRESS:PORT, not "${text}".`,
      'On this machine alone: 127.0.0.1:9464; for others, too: 0.0.0.0:9464 or [::]:9464',
    );
  }
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

function signalsOf(list: string): Signal[] {
  const wanted = list.split(',').map((word) => word.trim());
  const unknown = wanted.find((word) => !SIGNALS.some((signal) => signal === word));
  if (unknown !== undefined) throw usage(`--signals takes ${SIGNALS.join(', ')}, not "${unknown}".`);
  return SIGNALS.filter((signal) => wanted.includes(signal));
}

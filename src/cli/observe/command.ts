import { SIGNALS, type Signal, type SpanChoice } from '../../run/otlp/choices.ts';
import { completeEndpoint } from '../../run/otlp/endpoint.ts';
import { Exporter } from '../../run/otlp/exporter.ts';
import { telemetryForm } from '../../run/otlp/form.ts';
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
}

/** @throws KsnoopError USAGE, OTLP_FAILED, and as captures and readings have it */
export async function observeCommand(words: readonly string[], options: ObserveOptions): Promise<ExitCode> {
  const { otlp, otlpHeader, otlpCa, signals, spans, interval, ...others } = options;
  const endpoint = completeEndpoint({
    url: otlp,
    headers: otlpHeader,
    ca: otlpCa,
    signals: signalsOf(signals),
    environment: process.env,
  });
  const intervalMs = durationOf(interval, '--interval');
  const live = !captureFiles(words);
  const log = logger({ quiet: others.quiet === true, verbose: others.verbose === true });
  const exporter = new Exporter({ endpoint, live, warn: log.warn });
  const form = telemetryForm({ exporter, spans, intervalMs, resource: endpoint.resource });
  if (live) return captureCommand(words, { ...others, output: 'text' }, { form });
  const [{ readCommand }, { readingOptions }] = await Promise.all([
    import('../read/command.ts'),
    import('../read/options.ts'),
  ]);
  return readCommand(words, { ...readingOptions(others), output: 'text' }, form);
}

function signalsOf(list: string): Signal[] {
  const wanted = list.split(',').map((word) => word.trim());
  const unknown = wanted.find((word) => !SIGNALS.some((signal) => signal === word));
  if (unknown !== undefined) throw usage(`--signals takes ${SIGNALS.join(', ')}, not "${unknown}".`);
  return SIGNALS.filter((signal) => wanted.includes(signal));
}

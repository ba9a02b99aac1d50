import { type Command, Option } from 'commander';
import { SIGNALS, SPAN_CHOICES } from '../../run/otlp/choices.ts';
import {
  addPacketFlags,
  addTargetFlags,
  addTransportFlags,
  CLOCK_FLAG,
  KEYLOG_FLAG,
  WHERE_FLAG,
} from '../capture/flags.ts';
import { addExamples } from '../examples.ts';
import { addVerbosityFlags } from '../flags.ts';
import type { ObserveOptions } from './command.ts';

/** `ksnoop observe`: what the analysis finds, for OpenTelemetry. */
export function addObserveCommand(ksnoop: Command, setExit: (code: number) => void): void {
  const observe = ksnoop
    .command('observe')
    .description('send metrics, spans and findings to OpenTelemetry, of targets or of capture files')
    .argument('[targets...]', 'KIND/NAME ... as capture takes them, or files as read takes them; - for stdin')
    .option(
      '--otlp <URL>',
      'receiver of OTLP over HTTP, without /v1/metrics: http://collector:4318 (default: OTEL_EXPORTER_OTLP_ENDPOINT)',
    )
    .option('--otlp-header <NAME=VALUE>', 'header of each request; may be repeated', collectInto, [])
    .option('--otlp-ca <FILE>', 'certificates (PEM) of the authorities that the receiver is trusted by')
    .option('--signals <LIST>', `what is sent: ${SIGNALS.join(',')}`, SIGNALS.join(','))
    .addOption(
      new Option(
        '--spans <WHICH>',
        'exchanges that become spans: all; sampled: those of traces with the sampled flag (traceparent, b3); failed; none',
      )
        .choices(SPAN_CHOICES)
        .default('all'),
    )
    .option(
      '--prometheus-listen <ADDRESS:PORT>',
      'let Prometheus scrape /metrics there, too, or in place of --otlp: 127.0.0.1:9464',
    )
    .option('--interval <TIME>', 'time between metrics; of files, of their packets', '10s');
  addTargetFlags(observe);
  addPacketFlags(observe)
    .option('--duration <TIME>', 'stop after this time: 30s, 5m, 1h30m')
    .option('--count <N>', 'stop after N packets')
    .option(...CLOCK_FLAG)
    .option(...WHERE_FLAG)
    .option(...KEYLOG_FLAG);
  addTransportFlags(observe);
  addVerbosityFlags(observe).action(async (words: string[], options: ObserveOptions) => {
    const { observeCommand } = await import('./command.ts');
    setExit(await observeCommand(words, options));
  });
  addExamples(observe, [
    ['observe svc/web -n shop --otlp http://collector.monitoring:4318', 'a Service, until Ctrl-C'],
    ['observe -n shop deploy/api --otlp URL --spans sampled', 'spans only of traces that others record too'],
    ['observe svc/web --otlp http://prometheus:9090/api/v1/otlp --signals metrics', 'metrics to Prometheus'],
    ['observe svc/web -n shop --prometheus-listen 127.0.0.1:9464', 'metrics that Prometheus scrapes'],
    ['observe incident.pcapng --otlp http://localhost:4318', 'a capture, with the times of its packets'],
  ]);
}

function collectInto(value: string, before: string[]): string[] {
  return [...before, value];
}

import type { AnalysisForm } from '../analysis/form.ts';
import type { TelemetrySettings } from './telemetry.ts';

/** The analysis as OpenTelemetry data: it prints nothing, and sends. */
export function telemetryForm(settings: TelemetrySettings): AnalysisForm {
  return {
    name: 'otlp',
    about: 'metrics, spans and findings to an OpenTelemetry receiver',
    json: false,
    load: async () => {
      const { Telemetry } = await import('./telemetry.ts');
      return {
        detail: true,
        packets: settings.joins === true,
        // Packets are not shown: of them a tracer takes what it needs.
        traced: settings.joins === true,
        create: ({ session, live = false }) => new Telemetry(session, live, settings),
      };
    },
  };
}

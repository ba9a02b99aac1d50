/** What OTLP carries. */
export const SIGNALS = ['metrics', 'traces', 'logs'] as const;
export type Signal = (typeof SIGNALS)[number];

/** Which exchanges become spans. */
export const SPAN_CHOICES = ['all', 'sampled', 'failed', 'none'] as const;
export type SpanChoice = (typeof SPAN_CHOICES)[number];

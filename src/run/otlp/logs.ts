import type { Finding, Severity } from '../../analyze/findings/finding.ts';
import { recordedName } from '../../analyze/identity/identity.ts';
import { type Attributes, keyValues, validText } from './attributes.ts';
import { resourceOf } from './resource.ts';

/** SeverityNumber (opentelemetry/proto/logs/v1/logs.proto): ERROR, WARN, INFO. */
const SEVERITY: Readonly<Record<Severity, readonly [number: number, text: string]>> = {
  error: [17, 'ERROR'],
  warning: [13, 'WARN'],
  information: [9, 'INFO'],
};

/** Times of a log record, ns since 1970. */
interface LogTimes {
  /** Of the first evidence. */
  readonly time: bigint;
  readonly observed: bigint;
}

/** A finding as a log record in OTLP/JSON, and whose it is. */
export function logOf(
  finding: Finding,
  { time, observed }: LogTimes,
): { readonly resource: Attributes; readonly record: object } {
  const { code, severity, confidence, subject, message, next, otherwise, cases, attempts, evidence } = finding;
  const [severityNumber, severityText] = SEVERITY[severity];
  const attributes = {
    'ksnoop.finding.code': code,
    'ksnoop.finding.severity': severity,
    'ksnoop.finding.confidence': confidence,
    'ksnoop.finding.subject': subject,
    'ksnoop.finding.next': next,
    'ksnoop.finding.otherwise': otherwise,
    'ksnoop.finding.cases': cases,
    'ksnoop.finding.attempts': attempts,
    'ksnoop.finding.evidence': evidence.map(({ text }) => text).join('; ') || undefined,
  };
  return {
    resource: resourceOf(recordedName(subject), subject),
    record: {
      timeUnixNano: String(time),
      observedTimeUnixNano: String(observed),
      severityNumber,
      severityText,
      eventName: 'ksnoop.finding',
      body: { stringValue: validText(message) },
      attributes: keyValues(attributes),
    },
  };
}

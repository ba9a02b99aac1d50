import { balancing } from './balancing.ts';
import { connect } from './connect.ts';
import type { DetectorKind } from './detector.ts';
import { dns } from './dns.ts';
import { responses } from './responses.ts';
import { statuses } from './statuses.ts';
import { tls } from './tls.ts';
import { transport } from './transport.ts';

/** Every detector: a new finding is a file here and an entry below. */
export const DETECTORS: readonly DetectorKind[] = [connect, dns, tls, transport, responses, statuses, balancing];

/** Codes of all findings, sorted. */
export const FINDING_CODES: readonly string[] = DETECTORS.flatMap(({ codes }) => codes).sort();

if (new Set(FINDING_CODES).size < FINDING_CODES.length) throw new Error('two findings have one code');

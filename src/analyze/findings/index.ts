import { acceptQueue } from './accept-queue.ts';
import { balancing } from './balancing.ts';
import { coldPod } from './cold-pod.ts';
import { connect } from './connect.ts';
import { conntrack } from './conntrack.ts';
import type { DetectorKind } from './detector.ts';
import { dns } from './dns.ts';
import { dnsTransport } from './dns-transport.ts';
import { gateway } from './gateway.ts';
import { hairpin } from './hairpin.ts';
import { handshakes } from './handshakes.ts';
import { idle } from './idle.ts';
import { nodePath } from './node-path.ts';
import { pace } from './pace.ts';
import { responses } from './responses.ts';
import { retries } from './retries.ts';
import { slow } from './slow.ts';
import { snat } from './snat.ts';
import { stalls } from './stalls.ts';
import { statuses } from './statuses.ts';
import { throttling } from './throttling.ts';
import { tls } from './tls.ts';
import { transport } from './transport.ts';

/** Every detector: a new finding is a file here and an entry below. */
export const DETECTORS: readonly DetectorKind[] = [
  connect,
  hairpin,
  nodePath,
  handshakes,
  conntrack,
  snat,
  acceptQueue,
  dns,
  dnsTransport,
  tls,
  transport,
  stalls,
  pace,
  idle,
  responses,
  gateway,
  statuses,
  slow,
  throttling,
  retries,
  balancing,
  coldPod,
];

/** Codes of all findings, sorted. */
export const FINDING_CODES: readonly string[] = DETECTORS.flatMap(({ codes }) => codes).sort();

if (new Set(FINDING_CODES).size < FINDING_CODES.length) throw new Error('two findings have one code');

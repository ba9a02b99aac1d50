import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { Finding } from '../../../src/analyze/findings/finding.ts';
import { findings } from '../../../src/run/analysis/findings.ts';
import { flows } from '../../../src/run/analysis/flows.ts';
import { json } from '../../../src/run/analysis/json.ts';
import { whereExpression } from '../../../src/run/where.ts';
import { analysisLines } from '../../support/analysis-lines.ts';
import { captureFiles } from '../../support/captures.ts';

/**
 * What is wrong in captures of tcpdump's and Zeek's test suites that are not healthy: ports where nobody listens, names that
 * do not exist, certificates that expired, servers that fail. Everything else in them is a false alarm.
 */
const DEFENDED: Readonly<Record<string, readonly string[]>> = {
  // Of 1,302 packets 56 were sent again; the client announced a window of 0 again and again.
  '206_example_b.pcap': ['PACKET_LOSS'],
  'content-length-overflow.pcap': ['RESPONSE_CUT'],
  // Writes of some ten bytes, each of which waits 40 ms for the ACK of the one before.
  'rfc3030-bdat-multipart-chunked.pcap': ['NAGLE_DELAYED_ACK'],
  // The client tries NetBIOS beside SMB.
  'smb_many_open_files_500.pcap.gz': ['POD_NOT_LISTENING'],
  'sshfp-trunc.pcap': ['DNS_NAME_MISSING'],
  // The client does not know the authority of the test server.
  'tls13draft16-ff52.a01.pcap': ['TLS_HANDSHAKE_FAILS'],
};

/** A sample: every fifth of 1,634. */
const EVERY = 5;

const sample = captureFiles().filter((_, index) => index % EVERY === 0);

function findingsOf(file: string): { readonly bytes: Uint8Array; readonly found: readonly Finding[] } {
  const read = readFileSync(file);
  const bytes = file.endsWith('.gz') ? gunzipSync(read) : read;
  try {
    const { lines } = analysisLines(findings, bytes);
    return { bytes, found: (JSON.parse(lines[0] ?? '{"findings":[]}') as { findings: Finding[] }).findings };
  } catch {
    // Some of them are no capture files on purpose.
    return { bytes, found: [] };
  }
}

test.skipIf(sample.length === 0)(
  '300 captures of others: no alarm that cannot be defended, and evidence that can be shown',
  { timeout: 300_000 },
  async () => {
    const alarms: Record<string, string[]> = {};
    for (const file of sample) {
      const { bytes, found } = findingsOf(file);
      const codes = found.filter(({ severity }) => severity !== 'information').map(({ code }) => code);
      if (codes.length > 0) alarms[basename(file)] = [...new Set(codes)].sort();
      for (const { code, evidence } of found) {
        for (const { where } of evidence) {
          if (where === undefined) continue;
          const expression = await whereExpression(where);
          const shown = [json, flows].flatMap((kind) => analysisLines(kind, bytes, {}, expression?.condition).lines);
          expect(shown.length, `${basename(file)} ${code}: ${where}`).toBeGreaterThan(0);
        }
      }
    }
    expect(alarms).toEqual(DEFENDED);
  },
);

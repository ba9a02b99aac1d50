import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { AnalysisOutputKind } from '../../../src/analyze/engine/output.ts';
import { findings } from '../../../src/run/analysis/findings.ts';
import { analysisLines } from '../../support/analysis-lines.ts';
import { everyCapture } from '../../support/captures.ts';

/** Greater ones add time and no other protocol. */
const BYTES_MAXIMUM = 256 * 1024;

/** Captures whose findings rest on what a message says, in directories of these names, and one of many of all others. */
const MATTERS = /tls|http|dns|mysql|postgresql|redis|mongodb|kafka|amqp|memcached|smtp|proxy/;
const ONE_OF = 6;

const detailed: AnalysisOutputKind = { ...findings, detail: true };

const found = (kind: AnalysisOutputKind, bytes: Uint8Array): unknown =>
  JSON.parse(analysisLines(kind, bytes).lines[0] ?? '{}');

test('findings do not depend on whether single events are decoded whole', () => {
  const seen = new Set<string>();
  let compared = 0;
  for (const [index, path] of everyCapture().entries()) {
    if (!MATTERS.test(path) && index % ONE_OF > 0) continue;
    const raw = readFileSync(path);
    const bytes = raw[0] === 0x1f && raw[1] === 0x8b ? gunzipSync(raw) : raw;
    if (bytes.length > BYTES_MAXIMUM) continue;
    const [with_, without] = [detailed, findings].map((kind) => {
      try {
        return found(kind, bytes);
      } catch {
        return 'damaged';
      }
    });
    expect([basename(path), without]).toEqual([basename(path), with_]);
    compared += 1;
    for (const { code } of (without as { findings?: { code: string }[] }).findings ?? []) seen.add(code);
  }
  if (compared > 300)
    expect([...seen]).toEqual(expect.arrayContaining(['TLS_CERTIFICATE_EXPIRED', 'TLS_NAME_MISMATCH']));
});

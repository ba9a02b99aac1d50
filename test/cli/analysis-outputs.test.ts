import { globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AnalysisOutputKind } from '../../src/analyze/engine/output.ts';
import { AnalysisSession, type Condition } from '../../src/analyze/engine/session.ts';
import { recordFields } from '../../src/analyze/protocols/all-fields.ts';
import { SUMMARY_FIELDS } from '../../src/analyze/summary/report-fields.ts';
import { compileWhere } from '../../src/analyze/where/where.ts';
import { flows } from '../../src/run/analysis/flows.ts';
import { json } from '../../src/run/analysis/json.ts';
import { summary } from '../../src/run/analysis/summary.ts';
import { text } from '../../src/run/analysis/text.ts';
import { KsnoopError } from '../../src/wire/errors.ts';
import { plainSettings } from '../support/analysis-session.ts';
import { captureFiles } from '../support/captures.ts';
import { undocumented } from '../support/documented.ts';

/** Bytes of a file that is looked at: larger ones hold more of the same. */
const FILE_MAXIMUM = 100_000;
const TIMEOUT_MS = 900_000;

const own = globSync('*.{pcap,pcapng}', { cwd: join(import.meta.dirname, '../analyze/protocols/captures') });
const files = [
  ...own.map((name) => join(import.meta.dirname, '../analyze/protocols/captures', name)),
  ...captureFiles().filter((file) => !file.endsWith('.gz')),
].filter((file) => statSync(file).size <= FILE_MAXIMUM);

/** The lines of an output of a capture, or none where it is no capture. */
function linesOf(file: string, kind: AnalysisOutputKind, asJson: boolean, where?: Condition): string[] {
  const lines: string[] = [];
  const session = new AnalysisSession(
    kind,
    plainSettings({
      where,
      line: (line) => void lines.push(line),
      json: asJson,
    }),
  );
  try {
    session.push(readFileSync(file));
  } catch (thrown) {
    if (!(thrown instanceof KsnoopError)) throw thrown;
    return [];
  }
  session.end();
  return lines;
}

/** Times of their packets jump by more than a line is held: damaged on purpose, or put together of several captures. */
const TIMES_JUMP = /\/(babel_update_oobr|bgp_vpn_rt-oobr|vtp_asan|smb_v2_only_non_zero_reserved1)\.pcap$/;

/** What is found in the outputs of all captures, each of which is made once. */
interface Found {
  records: number;
  /** Lines of the JSON, by the file. */
  readonly counts: Map<string, number>;
  /** Members that are not documented, and a file that has one. */
  readonly undocumentedRecords: Map<string, string>;
  readonly undocumentedSummary: Map<string, string>;
  /** The first such line of an output of a file. */
  readonly unsafe: Map<string, string>;
  /** Lines of the text with a time, and the first one of a file that is earlier than the one before. */
  times: number;
  readonly disordered: Map<string, string>;
}

describe.skipIf(files.length === 0)('of every capture', () => {
  const found: Found = {
    records: 0,
    counts: new Map(),
    undocumentedRecords: new Map(),
    undocumentedSummary: new Map(),
    unsafe: new Map(),
    times: 0,
    disordered: new Map(),
  };

  beforeAll(() => {
    const fields = recordFields();
    for (const file of files) {
      const outputs = {
        text: linesOf(file, text, false),
        flows: linesOf(file, flows, false),
        'JSON of flows': linesOf(file, flows, true),
        summary: linesOf(file, summary, false),
        JSON: linesOf(file, json, true),
        'JSON of summary': linesOf(file, summary, true),
      };
      found.counts.set(file, outputs.JSON.length);
      for (const line of [...outputs.JSON, ...outputs['JSON of flows']]) {
        found.records += 1;
        for (const path of undocumented(JSON.parse(line), fields)) found.undocumentedRecords.set(path, file);
      }
      for (const line of outputs['JSON of summary']) {
        for (const path of undocumented(JSON.parse(line), SUMMARY_FIELDS)) found.undocumentedSummary.set(path, file);
      }
      for (const [name, lines] of Object.entries(outputs)) {
        const bad = lines.find((line) => /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(line));
        if (bad !== undefined) found.unsafe.set(`${file} ${name}`, JSON.stringify(bad));
      }
      lookAtTimes(found, file, outputs.text);
    }
  }, TIMEOUT_MS);

  it('the JSON has no member that is not documented', () => {
    console.log(`${found.records} records of ${files.length} captures`);
    expect(Object.fromEntries(found.undocumentedRecords)).toEqual({});
    const open = /^(flows|.*\.(statuses|rcodes))\b/;
    const summaries = [...found.undocumentedSummary].filter(
      ([path]) => !open.test(path) && !path.startsWith('tcp.worst'),
    );
    expect(Object.fromEntries(summaries)).toEqual({});
    expect(found.records).toBeGreaterThan(0);
  });

  it('no line has what a terminal might obey', () => {
    expect(Object.fromEntries(found.unsafe)).toEqual({});
  });

  it('the lines of the text are in the order of their times', () => {
    console.log(`${found.times} lines`);
    expect(Object.fromEntries(found.disordered)).toEqual({});
    expect(found.times).toBeGreaterThan(0);
  });

  it('a condition and its opposite part the records', { timeout: TIMEOUT_MS }, () => {
    for (const expression of ['failed', 'protocol == "http" && has(src.port) && src.port > 1024']) {
      const [yes, no] = [compileWhere(expression), compileWhere(`!(${expression})`)];
      for (const file of files) {
        const parts = linesOf(file, json, true, yes).length + linesOf(file, json, true, no).length;
        if (parts !== found.counts.get(file)) expect(`${file}: ${expression}`).toBe('parted');
      }
    }
  });
});

/** Whether the lines of the text of a file are in order. */
function lookAtTimes(found: Found, file: string, lines: readonly string[]): void {
  let before = '';
  for (const line of lines) {
    const time = /^\d\d:\d\d:\d\d\.\d{6}/.exec(line)?.[0];
    if (time === undefined) before = '';
    else {
      if (time < before && !TIMES_JUMP.test(file) && !found.disordered.has(file)) found.disordered.set(file, line);
      before = time;
      found.times += 1;
    }
  }
}

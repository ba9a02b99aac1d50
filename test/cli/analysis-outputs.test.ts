import { globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
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

describe.skipIf(files.length === 0)('of every capture', () => {
  it('the JSON has no member that is not documented', { timeout: TIMEOUT_MS }, () => {
    const fields = recordFields();
    const missing = new Map<string, string>();
    let records = 0;
    for (const file of files) {
      for (const line of [...linesOf(file, json, true), ...linesOf(file, flows, true)]) {
        records += 1;
        for (const path of undocumented(JSON.parse(line), fields)) missing.set(path, file);
      }
      for (const line of linesOf(file, summary, true)) {
        for (const path of undocumented(JSON.parse(line), SUMMARY_FIELDS)) {
          if (!/^(flows|.*\.(statuses|rcodes))\b/.test(path) && !path.startsWith('tcp.worst')) missing.set(path, file);
        }
      }
    }
    console.log(`${records} records of ${files.length} captures`);
    expect(Object.fromEntries(missing)).toEqual({});
  });

  it('no line has what a terminal might obey', { timeout: TIMEOUT_MS }, () => {
    const unsafe: Record<string, string> = {};
    for (const file of files) {
      for (const [name, kind, asJson] of [
        ['text', text, false],
        ['flows', flows, false],
        ['summary', summary, false],
        ['json', json, true],
        ['summary', summary, true],
      ] as const) {
        const bad = linesOf(file, kind, asJson).find((line) => /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(line));
        if (bad !== undefined) unsafe[`${file} ${name} ${asJson}`] = JSON.stringify(bad);
      }
    }
    expect(unsafe).toEqual({});
  });

  it('the lines of the text are in the order of their times', { timeout: TIMEOUT_MS }, () => {
    const wrong: Record<string, string> = {};
    let compared = 0;
    for (const file of files) {
      let before = '';
      for (const line of linesOf(file, text, false)) {
        const time = /^\d\d:\d\d:\d\d\.\d{6}/.exec(line)?.[0];
        if (time === undefined) before = '';
        else {
          if (time < before && !TIMES_JUMP.test(file)) wrong[file] ??= line;
          before = time;
          compared += 1;
        }
      }
    }
    console.log(`${compared} lines`);
    expect(wrong).toEqual({});
  });

  it('a condition and its opposite part the records', { timeout: TIMEOUT_MS }, () => {
    for (const expression of ['failed', 'protocol == "http" && has(src.port) && src.port > 1024']) {
      const [yes, no] = [compileWhere(expression), compileWhere(`!(${expression})`)];
      for (const file of files) {
        const parts = linesOf(file, json, true, yes).length + linesOf(file, json, true, no).length;
        if (parts !== linesOf(file, json, true).length) expect(`${file}: ${expression}`).toBe('parted');
      }
    }
  });
});

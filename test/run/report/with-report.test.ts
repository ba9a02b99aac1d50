import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import type { ExchangeStats } from '../../../src/analyze/summary/report.ts';
import { compileWhere } from '../../../src/analyze/where/where.ts';
import type { AnalysisForm } from '../../../src/run/analysis/form.ts';
import { analysisOutput } from '../../../src/run/analysis/index.ts';
import { withReport } from '../../../src/run/report/with-report.ts';
import { analysed } from '../../support/analysis-session.ts';
import { parsed, tableOf } from '../../view/html/parsed.ts';

/** Members of a row of the summary that are compared. */
interface Row extends ExchangeStats {
  readonly service?: string;
  readonly client?: string;
  readonly pod?: string;
}

const CAPTURE = join(import.meta.dirname, '../analysis/captures/wrong-service.pcapng');

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-report-'));
const path = join(directory, 'report.html');
afterEach(() => rmSync(path, { force: true }));

function formNamed(name: string): AnalysisForm {
  const form = analysisOutput(name);
  if (form === undefined) throw new Error(`there is no output ${name}`);
  return form;
}

async function linesOf(form: AnalysisForm, where?: string, json = false): Promise<string[]> {
  const { lines } = analysed(await form.load(), readFileSync(CAPTURE), {
    json,
    utc: true,
    where: where === undefined ? undefined : await compileWhere(where),
  });
  return lines;
}

it.each(['findings', 'text', 'summary', 'trace'])(
  'leaves what -o %s prints as it is, also with --where',
  async (name) => {
    for (const where of [undefined, 'failed']) {
      const lines = await linesOf(withReport(formNamed(name), { path, force: true }), where);
      expect(lines).toEqual(await linesOf(formNamed(name), where));
      expect(readFileSync(path, 'utf8')).toMatch(/^<!DOCTYPE html>[\s\S]*<\/html>\n$/);
    }
  },
);

it.each([undefined, 'failed', 'http.status == 200'])('has the rows of -o summary with --where %s', async (where) => {
  const [line = ''] = await linesOf(withReport(formNamed('summary'), { path, force: false }), where, true);
  const summary = JSON.parse(line) as Record<string, readonly Row[]>;
  const pieces = parsed(readFileSync(path, 'utf8'));
  for (const [table, key] of [
    ['services', 'service'],
    ['callers', 'client'],
    ['pods', 'pod'],
    ['routes', 'service'],
  ] as const) {
    const [head = [], ...rows] = tableOf(pieces, table);
    const titles = head.map(({ text }) => text);
    const shown = rows.map((row) => [
      row[0]?.text,
      ...['Count', 'Failed', 'p50', 'p99', 'Max', 'Sent', 'Received'].map((title) => row[titles.indexOf(title)]?.value),
    ]);
    expect(shown).toEqual(
      (summary[table] ?? []).map((row) => [
        row[key],
        ...[
          row.count,
          row.failed,
          row.latency?.p50,
          row.latency?.p99,
          row.latency?.max,
          row.requestBytes,
          row.responseBytes,
        ].map((value: number | undefined) => String(value ?? '')),
      ]),
    );
  }
});

it('has the findings, the waterfall of slow and failed requests, and the interfaces', async () => {
  const lines = await linesOf(withReport(formNamed('findings'), { path, force: false }), undefined, true);
  const { findings } = JSON.parse(lines.join('')) as { findings: { message: string; next: string }[] };
  const text = parsed(readFileSync(path, 'utf8'))
    .map((piece) => piece.text)
    .join('');
  expect(findings.length).toBeGreaterThan(0);
  for (const { message, next } of findings) expect(text.includes(message) && text.includes(next)).toBe(true);
  expect(text).toContain('shop/web-7997b97dcc-4wwvv/any');
  expect(text).toMatch(/GET \/unavailable\?run=none&n=\d+ failed 503/);
  expect(text).toContain('Where the time went');
});

it('does not overwrite a file without --force, and nobody else can read the report', async () => {
  writeFileSync(path, 'mine');
  await expect(linesOf(withReport(formNamed('findings'), { path, force: false }))).rejects.toMatchObject({
    code: 'FILE_EXISTS',
  });
  expect(readFileSync(path, 'utf8')).toBe('mine');
  await linesOf(withReport(formNamed('findings'), { path, force: true }));
  expect(readFileSync(path, 'utf8')).toMatch(/^<!DOCTYPE html>/);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

import { globSync, readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { expect, test } from 'vitest';
import type { AnalysisOutputKind } from '../../../src/analyze/engine/output.ts';
import { analysisOutput } from '../../../src/run/analysis/index.ts';
import { analysed } from '../../support/analysis-session.ts';
import { type CaptureFrame, captureFrames } from '../../support/capture-file.ts';
import { linesOfForm, type RecordedForm } from '../../support/recorded-forms.ts';

/**
 * Everything that is found in each capture of a protocol is as in test/golden/protocols: of the whole capture, and what becomes
 * different when packets are missing or the capture begins late. What tshark knows is compared with it elsewhere; here a
 * change of any field shows in the diff of a commit. When a change is meant: `vitest run -u --project unit` and this file.
 */
const GOLDEN = join(import.meta.dirname, '../../golden/protocols');
const CAPTURES = globSync('{*/,}captures/*.pcap', { cwd: import.meta.dirname }).sort();

/** Which packets are not in the capture. */
const LOSSES: Readonly<Record<string, (frame: CaptureFrame, all: number) => boolean>> = {
  'two of seven packets are missing': ({ number }) => number % 7 < 2,
  'the first third is missing': ({ number }, all) => number < all / 3,
};

test.each(CAPTURES)('finds in %s what test/golden has', async (path) => {
  const json = await form('json');
  const bytes = readFileSync(join(import.meta.dirname, path));
  const frames = captureFrames(bytes);
  if (frames === undefined) throw new Error(`${path} cannot be read`);
  const whole = found(json, bytes);
  const flows = analysed(await form('flows'), bytes, { json: true }).lines;
  const lines = [...whole.values()].map((record) => JSON.stringify(record));
  lines.push('# its connections', ...flows);
  for (const form of TABLES) lines.push(`# ${form.join(' as ')}`, ...(await linesOfForm(form, bytes)));
  for (const [loss, isLost] of Object.entries(LOSSES)) {
    const left = frames.filter((frame) => !isLost(frame, frames.length));
    lines.push(`# ${loss}`, ...differences(whole, found(json, pcapOf(left))));
  }
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(join(GOLDEN, `${basename(path, extname(path))}.txt`));
});

async function form(name: string): Promise<AnalysisOutputKind> {
  const kind = await analysisOutput(name)?.load();
  if (kind === undefined) throw new Error(`there is no output ${name}`);
  return kind;
}

/** What these say of a protocol has code of its own: routes, statuses, what is slow. */
const TABLES: readonly RecordedForm[] = [
  ['summary', 'text'],
  ['findings', 'json'],
];

type JsonRecord = Readonly<Record<string, unknown>>;

/** The records by what tells them apart: time, end, what it is called and, where that is the same, a number. */
function found(json: AnalysisOutputKind, capture: Uint8Array): Map<string, JsonRecord> {
  const records = new Map<string, JsonRecord>();
  for (const line of analysed(json, capture, { json: true }).lines) {
    const { v: _, ...record } = JSON.parse(line) as JsonRecord;
    const { time, src, kind, label } = record;
    if (kind === 'packet') continue;
    const port = (src as { port?: number } | undefined)?.port;
    const key = `${String(time).slice(11, -1)} ${port ?? ''} ${String(kind)} ${String(label ?? '')}`.slice(0, 80);
    let unique = key;
    for (let copy = 2; records.has(unique); copy += 1) unique = `${key} ${copy}`;
    records.set(unique, record);
  }
  return records;
}

/** `-` what is not found any more, `+` what is found only now, `~` the members that are different. */
function differences(before: ReadonlyMap<string, JsonRecord>, after: ReadonlyMap<string, JsonRecord>): string[] {
  const gone = [...before.keys()].filter((key) => !after.has(key)).map((key) => `- ${key}`);
  const rest = [...after].flatMap(([key, record]) => {
    const known = before.get(key);
    if (known === undefined) return [`+ ${JSON.stringify(record)}`];
    const names = new Set([...Object.keys(known), ...Object.keys(record)]);
    // Connections have other numbers.
    names.delete('flow');
    const other = [...names].filter((name) => JSON.stringify(known[name]) !== JSON.stringify(record[name]));
    if (other.length === 0) return [];
    return [`~ ${key} ${other.map((name) => `${name} ${JSON.stringify(record[name] ?? null)}`).join(', ')}`];
  });
  return [...gone, ...rest];
}

/** A pcap file with nanoseconds. */
function pcapOf(frames: readonly CaptureFrame[]): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2_3c4d, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(1 << 18, 16);
  head.writeUInt32LE(frames[0]?.linkType ?? 1, 20);
  const records = frames.flatMap(({ bytes, origlen, time = 0n }) => {
    const record = Buffer.alloc(16);
    record.writeUInt32LE(Number(time / 1_000_000_000n), 0);
    record.writeUInt32LE(Number(time % 1_000_000_000n), 4);
    record.writeUInt32LE(bytes.length, 8);
    record.writeUInt32LE(origlen, 12);
    return [record, bytes];
  });
  return Buffer.concat([head, ...records]);
}

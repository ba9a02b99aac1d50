import { createHash } from 'node:crypto';
import type { AnalysisOutput, AnalysisOutputKind } from '../../../src/analyze/engine/output.ts';
import { analysisOutput } from '../../../src/run/analysis/index.ts';
import { analysed } from '../../support/analysis-session.ts';

/** A line that an output printed, and which output it was. */
export interface Stated {
  readonly form: string;
  readonly line: string;
}

/** What several outputs print of a capture, as JSON, of one analysis. */
export async function statementsOf(forms: readonly string[], capture: Uint8Array): Promise<readonly Stated[]> {
  const kinds = await Promise.all(forms.map(async (form) => [form, await kindOf(form)] as const));
  const stated: Stated[] = [];
  const together: AnalysisOutputKind = {
    detail: true,
    packets: false,
    create: (context) => {
      const outputs = kinds.map(([form, kind]) =>
        kind.create({ ...context, line: (line) => void stated.push({ form, line }) }),
      );
      return toEach(outputs);
    },
  };
  analysed(together, capture, { json: true, utc: true, verbose: true });
  return stated;
}

function toEach(outputs: readonly AnalysisOutput[]): AnalysisOutput {
  const each = (give: (output: AnalysisOutput) => void) => outputs.forEach(give);
  return {
    event: (event, flow) => each((output) => output.event?.(event, flow)),
    flowEnded: (flow) => each((output) => output.flowEnded?.(flow)),
    legJoined: (flow) => each((output) => output.legJoined?.(flow)),
    named: (records) => each((output) => output.named?.(records)),
    end: () => each((output) => output.end?.()),
  };
}

async function kindOf(name: string): Promise<AnalysisOutputKind> {
  const kind = await analysisOutput(name)?.load();
  if (kind === undefined) throw new Error(`there is no output ${name}`);
  return kind;
}

/** Characters of a status that are shown. */
const STATUS = 16;

/** `http 200 ×3, response not seen; tls event`: records by protocol and how they ended. */
export function counted(records: readonly Stated[]): string {
  const protocols = new Map<unknown, Map<string, number>>();
  for (const { line } of records) {
    const { kind, protocol, status, incomplete } = JSON.parse(line) as Readonly<Record<string, unknown>>;
    const ended = typeof status === 'string' ? status.slice(0, STATUS) : incomplete === undefined ? kind : undefined;
    const key = [ended, incomplete].filter((word) => typeof word === 'string').join(' ');
    const counts = protocols.get(protocol) ?? new Map<string, number>();
    protocols.set(protocol, counts.set(key, (counts.get(key) ?? 0) + 1));
  }
  const all = [...protocols].map(
    ([protocol, counts]) =>
      `${String(protocol)} ${[...counts].map(([key, count]) => (count > 1 ? `${key} ×${count}` : key)).join(', ')}`,
  );
  return all.join('; ');
}

/** Short: that two differ is what matters. `-` of nothing. */
export function digest(lines: readonly Stated[]): string {
  if (lines.length === 0) return '-';
  const hash = createHash('sha1');
  for (const { line } of lines) hash.update(`${line}\n`);
  return hash.digest('hex').slice(0, 5);
}

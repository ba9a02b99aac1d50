import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { nginxCapture } from './support/big-capture.ts';
import { dnsCapture } from './support/dns-capture.ts';
import { type Bench, type Figure, figure } from './support/figure.ts';
import type { Kept } from './support/kept.ts';
import { samplesOf, sideBySide } from './support/measure.ts';
import { BUILT, ksnoopSummary } from './support/read-peers.ts';
import { type Run, timedRun } from './support/timed-run.ts';

const ROUNDS = 3;
const LIMIT_MB = 250;
/** Rows in a second of processor that writing them adds to what the summary takes. */
const ROWS_GOAL = 150_000;

/** Tables of exchanges: what they take beside JSON, and beside the analysis alone. */
export const readParquet: Bench = {
  name: 'read-parquet',
  about:
    'ksnoop read -o parquet on half a million exchanges of DNS and on a gigabyte of nginx, against -o json and -o summary',
  async run() {
    return [...(await compare('DNS', await dnsCapture())), ...(await compare('HTTP', await nginxCapture()))];
  },
};

async function compare(what: string, { path, about }: Kept): Promise<Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), 'ksnoop-parquet-'));
  try {
    const read = (output: string) => timedRun(process.execPath, BUILT, 'read', '-o', output, path);
    const parquet = async () => {
      const run = await read(`parquet=${join(directory, 'tables')}`);
      rmSync(join(directory, 'tables'), { recursive: true });
      return run;
    };
    const rows = await exchanges(path, join(directory, 'counted'));
    const beside = await sideBySide(ROUNDS, parquet, () => read('json'));
    const alone = await sideBySide(ROUNDS, parquet, () => ksnoopSummary(path));
    const speed = (runs: readonly Run[]) => samplesOf(runs.map(({ processor }) => rows / processor));
    const processor = (runs: readonly Run[]) => samplesOf(runs.map((run) => run.processor)).median;
    const added = alone.ours.map((run, round) => run.processor - (alone.peer[round]?.processor ?? Number.NaN));
    const notes = [`${rows} exchanges: ${about}`];
    return [
      figure({
        name: `parquet ${what}: json`,
        unit: 'rows per second of processor',
        ours: speed(beside.ours),
        peer: speed(beside.peer),
        against: 'ksnoop read -o json FILE',
        goal: { relation: '>=', ratio: 1 },
        notes: [
          ...notes,
          `${processor(beside.ours).toFixed(2)} s of processor; json ${processor(beside.peer).toFixed(2)} s`,
        ],
      }),
      figure({
        name: `parquet ${what}: added`,
        unit: 'rows per second of processor',
        ours: samplesOf(added.map((seconds) => rows / seconds)),
        peer: samplesOf([ROWS_GOAL]),
        against: `${ROWS_GOAL} rows in each second that it takes longer than ksnoop read -o summary FILE`,
        goal: { relation: '>=', ratio: 1 },
        notes: [
          ...notes,
          `${processor(alone.ours).toFixed(2)} s of processor; summary ${processor(alone.peer).toFixed(2)} s`,
        ],
      }),
      figure({
        name: `parquet ${what}: memory`,
        unit: 'MB',
        ours: samplesOf([...beside.ours, ...alone.ours].map(({ memory }) => memory / 1e6)),
        peer: samplesOf([LIMIT_MB]),
        against: `a limit of ${LIMIT_MB} MB (resident set of the whole process at its largest)`,
        goal: { relation: '<=', ratio: 1 },
        notes,
      }),
    ];
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** How many rows the table of exchanges has. */
async function exchanges(path: string, directory: string): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [BUILT, 'read', '-o', `parquet=${directory}`, path]);
  const [, rows] = /^exchanges: ([\d,]+) rows?/m.exec(stdout) ?? [];
  if (rows === undefined) throw new Error(`no rows of exchanges in: ${stdout}`);
  return Number(rows.replaceAll(',', ''));
}

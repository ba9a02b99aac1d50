import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { addState, stateOf } from '../../src/analyze/summary/state.ts';
import { readState } from '../../src/analyze/summary/state-read.ts';
import { stateDocument } from '../../src/analyze/summary/state-write.ts';
import { SummaryTotals } from '../../src/analyze/summary/totals.ts';
import { type Bench, figure } from './support/figure.ts';
import { samplesOf } from './support/measure.ts';

const AGENTS = 1_000;
const PERIODS = 6;
const PERIOD_SECONDS = 10;
const ROUNDS = 3;
/** Rows of a delta: 20 services of 2 routes that all agents serve, callers of all of them, and pods of the agent's own. */
const SERVICES = 20;
const ROUTES = 2;
const PODS = 20;
const CALLERS = 20;
const CPU_SHARE = 0.2;
const MEMORY_MB = 150;

const CLIENT = join(import.meta.dirname, 'support/delta-client.ts');

interface Run {
  readonly cpu: number;
  readonly memory: number;
  readonly exchanges: number;
  readonly rows: number;
}

/** What a client needs to add up the deltas of a thousand agents: each has a hundred rows and comes every ten seconds. */
export const deltas: Bench = {
  name: 'deltas',
  about: `adding up the summaries of ${AGENTS} agents: 100 rows each, every ${PERIOD_SECONDS} s`,
  async run() {
    const runs: Run[] = [];
    const directory = mkdtempSync(join(tmpdir(), 'ksnoop-deltas-'));
    try {
      const program = await bundled(directory);
      for (let round = 0; round < ROUNDS; round += 1) runs.push(await client(program));
    } finally {
      rmSync(directory, { recursive: true });
    }
    const [{ exchanges, rows } = { exchanges: 0, rows: 0 }] = runs;
    const expected = AGENTS * PERIODS * SERVICES * COUNT;
    if (exchanges !== expected) throw new Error(`${exchanges} exchanges were counted, not ${expected}`);
    const notes = [`${rows} rows of the report; ${exchanges} exchanges, each counted once`];
    return [
      figure({
        name: 'deltas, processor',
        unit: 's of CPU',
        ours: samplesOf(runs.map(({ cpu }) => cpu)),
        peer: samplesOf([CPU_SHARE * PERIODS * PERIOD_SECONDS]),
        against: `a limit of ${CPU_SHARE * 100} % of a core for ${PERIODS * PERIOD_SECONDS} s, with the start of the process`,
        goal: { relation: '<=', ratio: 1 },
        notes,
      }),
      figure({
        name: 'deltas, memory',
        unit: 'MB',
        ours: samplesOf(runs.map(({ memory }) => memory / 1e6)),
        peer: samplesOf([MEMORY_MB]),
        against: `a limit of ${MEMORY_MB} MB (resident set of the whole process at its largest)`,
        goal: { relation: '<=', ratio: 1 },
        notes,
      }),
    ];
  },
};

/** Exchanges of a row and period. */
const COUNT = 40;

/** As one bundle, as ksnoop is: loading TypeScript takes memory of its own. */
async function bundled(directory: string): Promise<string> {
  const outfile = join(directory, 'delta-client.mjs');
  await build({ entryPoints: [CLIENT], outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'error' });
  return outfile;
}

async function client(program: string): Promise<Run> {
  const child = execFile(process.execPath, [program, String(AGENTS)], { encoding: 'utf8' });
  let output = '';
  child.stdout?.on('data', (text: string) => {
    output += text;
  });
  const closed = once(child, 'close');
  const template = JSON.stringify(stateDocument(delta()));
  for (let sequence = 0; sequence < PERIODS; sequence += 1) {
    for (let agent = 0; agent < AGENTS; agent += 1) {
      const line = `{"source":"node-${agent}","sequence":${sequence},"state":${template.replaceAll('AGENT', String(agent))}}\n`;
      if (child.stdin?.write(line) === false) await once(child.stdin, 'drain');
    }
  }
  child.stdin?.end();
  await closed;
  return JSON.parse(output) as Run;
}

function delta() {
  const totals = new SummaryTotals();
  const buckets = Array.from({ length: 10 }, (_, index) => [-320 + 3 * index, COUNT / 10]).flat();
  const latency = { sum: COUNT * 2e6, max: 20e6, buckets };
  const row = {
    counts: { count: COUNT, failed: 1, requestBytes: 3200, responseBytes: 20_480 },
    times: { latency },
    statuses: [['200', COUNT - 1] as const, ['503', 1] as const],
  };
  const { services, routes, pods, callers } = totals.tables;
  for (let service = 0; service < SERVICES; service += 1) {
    services.row({ service: `service-${service}.shop`, protocol: 'http' }).addState(row);
    for (let route = 0; route < ROUTES; route += 1) {
      routes.row({ service: `service-${service}.shop`, protocol: 'http', route: `GET /route/${route}` }).addState(row);
    }
  }
  for (let pod = 0; pod < PODS; pod += 1) {
    const service = `service-${pod % SERVICES}.shop`;
    pods.row({ pod: `shop/service-${pod}-AGENT`, service, protocol: 'http' }).addState(row);
  }
  for (let caller = 0; caller < CALLERS; caller += 1) {
    callers.row({ client: `shop/client-${caller}`, service: 'service-0.shop', protocol: 'http' }).addState(row);
  }
  totals.addSpan({ first: 1_795_000_000_000_000_000n, last: 1_795_000_060_000_000_000n });
  // As it is read, so that the template is known to be valid.
  addState(
    new SummaryTotals(),
    readState(JSON.parse(JSON.stringify(stateDocument(stateOf(totals)))), { where: 'delta' }),
  );
  return stateOf(totals);
}

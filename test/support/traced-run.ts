import { expect } from 'vitest';
import type { TraceRecord } from '../../src/analyze/trace/record.ts';
import type { TestCluster } from './cluster.ts';
import { KsnoopProcess } from './ksnoop-process.ts';
import { requests } from './shop.ts';

export interface TracedRun {
  /** Where it is captured to. */
  readonly file: string;
  /** In the shop's namespace, and how many of them are captured. */
  readonly targets: readonly string[];
  readonly capturing: number;
  /** What the client requests, as `requests` takes it. */
  readonly load: Omit<Parameters<typeof requests>[1], 'run'>;
}

/** Captures targets while a client makes requests, and traces these requests. Nothing is dropped. */
export async function tracedRun(on: TestCluster, name: string, { file, targets, capturing, load }: TracedRun) {
  const ksnoop = new KsnoopProcess(['-n', 'shop', ...targets, '-w', file], on.kubeconfig);
  await ksnoop.capturing(capturing);
  const run = `${name}${Date.now()}`;
  const { answered } = await requests(on, { ...load, run });
  const { code, stderr } = await ksnoop.stop();
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/ 0 dropped by kernel, 0 dropped by ksnoop/);
  const { stdout } = await new KsnoopProcess(['trace', file, '--json'], '/nowhere').finished();
  const traces = stdout
    .toString()
    .split('\n')
    .filter((line) => line.includes(run))
    .map((line) => JSON.parse(line) as TraceRecord);
  return { run, answered, traces };
}

// A capture as a library: no command line, no terminal; the agent is played by the test.
import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import type { CaptureObserver } from '../../../src/capture/streams/capture-observer.ts';
import type { TransportHandlers } from '../../../src/capture/streams/transport.ts';
import type { CapturePlan } from '../../../src/run/capture/plan.ts';
import { runCapture } from '../../../src/run/capture/run.ts';
import { outputKind } from '../../../src/run/outputs/index.ts';
import { openOutput } from '../../../src/run/outputs/open.ts';
import type { OutputKind } from '../../../src/run/outputs/output.ts';
import { clusterOf } from '../../../src/wire/capture-cluster.ts';
import { CaptureFramer } from '../../../src/wire/capture-read.ts';
import { KsnoopError } from '../../../src/wire/errors.ts';
import { captureConfig } from '../../cli/config.ts';
import { captureFrames } from '../../support/capture-file.ts';
import { describe, header, packet } from '../../support/pcapng-sample.ts';
import { PlayedAgent } from '../../support/played-agent.ts';

const never = new AbortController().signal;
const observer: CaptureObserver = {
  started: () => {},
  failed: () => {},
  gone: () => {},
  lost: () => {},
  resumed: () => {},
  waiting: () => {},
  note: () => {},
  log: () => {},
};

/** A plan of one target, whose agent does as it is told. */
function planOf(play: (agent: PlayedAgent) => void, changes: Partial<CapturePlan> = {}) {
  const closed: string[] = [];
  const plan: CapturePlan = {
    plans: [
      {
        cluster: '',
        node: 'node1',
        targets: [{ key: 'a', kind: 'host' }],
        open: async (handlers: TransportHandlers) => {
          const agent = new PlayedAgent(handlers);
          setImmediate(() => play(agent));
          return agent;
        },
        refresh: async (targets) => targets,
      },
    ],
    growing: false,
    waiting: false,
    labels: new Map([['a', 'shop/a']]),
    refused: [],
    warnings: [],
    names: [],
    leaveOut: undefined,
    seen: undefined,
    followNames: undefined,
    close: async () => {
      closed.push('closed');
      return undefined;
    },
    ...changes,
  };
  return { plan, closed };
}

/** Runs it into memory. */
async function run(plan: CapturePlan) {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  const config = {
    output: outputKind('pcapng') as OutputKind,
    sink: { kind: 'stream', stream } as const,
    rotation: undefined,
    force: false,
    json: false,
    where: undefined,
    showSecrets: false,
    utc: false,
    verbose: false,
  };
  const open = (onProgress: () => void) => openOutput(config, { colour: false, width: undefined }, onProgress, never);
  const { outcome } = await runCapture(plan, captureConfig(), { open, observer });
  return { ...(await outcome), bytes: Buffer.concat(chunks), ended: stream.writableEnded };
}

test('what was planned is captured, written to its end, and summed up; the plan is closed', async () => {
  const refused = { label: 'shop/none', error: new KsnoopError('NO_SUCH_TARGET', 'There is no such pod.') };
  const { plan, closed } = planOf(
    (agent) => {
      agent.capture();
      agent.finish('targets-gone');
    },
    { refused: [refused] },
  );
  const { result, failure, summary, bytes, ended } = await run(plan);
  expect(captureFrames(bytes)).toHaveLength(1);
  expect({ cause: result.cause, failure, ended, closed }).toEqual({
    cause: 'targets-ended',
    failure: undefined,
    ended: true,
    closed: ['closed'],
  });
  expect(summary?.targets).toMatchObject([
    { label: 'shop/none', note: 'failed: There is no such pod.' },
    { label: 'shop/a', captured: 1 },
  ]);
});

test('of two clusters one is lost: the other loses nothing, and the file tells them apart', async () => {
  const told: string[] = [];
  const pod = (cluster: string, play: (agent: PlayedAgent) => void) => ({
    ...(planOf(play).plan.plans[0] as CapturePlan['plans'][number]),
    cluster,
    targets: [{ key: `${cluster}/a`, kind: 'host' }] as const,
  });
  const begin = (agent: PlayedAgent, cluster: string) => {
    agent.tell({ type: 'started', target: `${cluster}/a`, interface: 'shop/a/any' });
    agent.send(header(), describe('shop/a/any'), packet(0, 5n, new Uint8Array(20)));
  };
  const east = pod('east', (agent) => {
    begin(agent, 'east');
    agent.send(...Array.from({ length: 99 }, (_, index) => packet(0, BigInt(index + 6), new Uint8Array(20))));
    agent.finish('targets-gone');
  });
  const west = pod('west', (agent) => {
    begin(agent, 'west');
    agent.lose();
  });
  const { plan } = planOf(() => {}, {
    clusters: ['east', 'west'],
    plans: [east, { ...west, refresh: async () => [] }],
    labels: new Map([
      ['east/a', 'east/shop/a'],
      ['west/a', 'west/shop/a'],
    ]),
    names: [
      { address: '10.0.0.1', names: ['shop/a'], cluster: 'east' },
      { address: '10.0.0.1', names: ['shop/a'], cluster: 'west' },
    ],
  });
  const { result, summary, bytes } = await run(plan);
  expect(summary?.targets.map(({ label, captured }) => [label, captured])).toEqual([
    ['east/shop/a', 100],
    ['west/shop/a', 1],
  ]);
  expect(result.report.gaps.map(({ label }) => label)).toEqual(['west/node1']);
  new CaptureFramer({
    packet: () => {},
    interface: (_id, { name, description, filter }) => told.push(`${name} ${clusterOf(description)} ${filter}`),
    names: (names, cluster) => told.push(`${cluster}: ${names.map((record) => record.names.join()).join()}`),
  }).push(bytes);
  expect(told.sort()).toEqual(['east/shop/a/any east tcp', 'east: shop/a', 'west/shop/a/any west tcp', 'west: shop/a']);
});

test('when nothing was captured nothing is written, and there is no summary', async () => {
  const { plan } = planOf((agent) => agent.finish('targets-gone'));
  const { summary, bytes } = await run(plan);
  expect({ summary, bytes: bytes.length }).toEqual({ summary: undefined, bytes: 0 });
});

test('an output that cannot be opened closes the plan', async () => {
  const { plan, closed } = planOf(() => {});
  const open = async () => {
    throw new KsnoopError('CANNOT_WRITE', 'The file a cannot be written.');
  };
  await expect(runCapture(plan, captureConfig(), { open, observer })).rejects.toMatchObject({ code: 'CANNOT_WRITE' });
  expect(closed).toEqual(['closed']);
});

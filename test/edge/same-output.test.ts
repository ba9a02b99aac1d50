import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AnalysisOutputKind } from '../../src/analyze/engine/output.ts';
import { analysisOutput } from '../../src/run/analysis/index.ts';
import { whereExpression } from '../../src/run/where.ts';
import { agentStream, analysedAsItComes, analysedStream, nodesOf, shownOf } from './agent-stream.ts';

const TESTS = join(import.meta.dirname, '..');
/** Other captures may be named, from the directory of the tests. */
const FILES = globSync(process.env.KSNOOP_EDGE_CAPTURES ?? '**/captures/**/*.pcap*', { cwd: TESTS }).sort();
const TIMEOUT = 120_000;

interface Form {
  readonly name: string;
  readonly json: boolean;
}

const FORMS: readonly Form[] = [
  { name: 'json', json: false },
  { name: 'summary', json: true },
  { name: 'findings', json: true },
  { name: 'flows', json: true },
  { name: 'trace', json: true },
];

async function kindOf({ name }: Form): Promise<AnalysisOutputKind> {
  const kind = await analysisOutput(name)?.load();
  if (kind === undefined) throw new Error(`there is no output ${name}`);
  return kind;
}

test.each(FILES)('%s shows the same where it is analysed on its node', { timeout: TIMEOUT }, async (file) => {
  const stream = agentStream(readFileSync(join(TESTS, file)));
  for (const form of FORMS) {
    const kind = await kindOf(form);
    const edge = shownOf(kind, [analysedStream(stream, kind)], form.json);
    const expected = shownOf(kind, [stream], form.json);
    expect(edge, form.name).toEqual(expected);
    if (kind.counts !== true) continue;
    expect(shownOf(kind, [analysedAsItComes(stream, kind, true)], form.json), `${form.name} alone`).toEqual(expected);
  }
});

const CAPTURE = 'analyze/flow/captures/both-ends-of-a-service.pcapng';

test.each([
  'text',
  'summary',
  'findings',
  'flows',
  'map',
  'trace',
  'trace=summary',
  'csv=routes',
  'custom-columns=A:.src.ip,B:.http.path',
])('-o %s shows the same where it is analysed on its node', { timeout: TIMEOUT }, async (output) => {
  const [name = '', argument] = output.split('=');
  const kind = await kindOf({ name, json: false });
  const stream = agentStream(readFileSync(join(TESTS, CAPTURE)));
  const edge = shownOf(kind, [analysedStream(stream, kind)], false, argument);
  expect(edge).toEqual(shownOf(kind, [stream], false, argument));
  expect(edge.length).toBeGreaterThan(0);
});

test.each(['json', 'summary'])('--where chooses the same of -o %s', { timeout: TIMEOUT }, async (name) => {
  const kind = { ...(await kindOf({ name, json: false })), detail: true };
  const stream = agentStream(readFileSync(join(TESTS, CAPTURE)));
  const shown = async (of: Uint8Array) => {
    const where = await whereExpression('http.path.startsWith("/") && latency > duration("1ms")');
    return shownOf(kind, [of], false, undefined, where?.condition);
  };
  const edge = await shown(analysedStream(stream, kind));
  expect(edge).toEqual(await shown(stream));
  expect(edge).not.toEqual(shownOf(kind, [stream]));
});

/** Of some a node decides all, of others a part or nothing. */
const WHERE = [
  'failed',
  'failed || latency > duration("5ms")',
  'http.status >= 300 && dst.pod.startsWith("web")',
  'has(http.path) && http.path.startsWith("/r") && src.ip != dst.ip',
  '!(protocol == "http") && (src.ip == "10.0.0.1" || dst.service == "web")',
  'flow < 20 && kind == "exchange" && requestBytes > 60',
  'has(src.pod) && time > timestamp("2020-01-01T00:00:00Z") && http.requestHeaders["host"].matches("^w")',
  'label.contains("web") && has(src.pod) && size(dst.pod) > 2',
];

test.each(WHERE)(
  '--where %s chooses the same where nodes leave out what does not match',
  { timeout: TIMEOUT },
  async (text) => {
    let chosen = 0;
    for (const file of FILES.filter((each) => /both-ends|loss-resp|mesh|quic|http1-/.test(each))) {
      const stream = agentStream(readFileSync(join(TESTS, file)));
      for (const { name, json } of FORMS.filter(({ name }) => name !== 'trace')) {
        const kind = { ...(await kindOf({ name, json })), detail: true };
        const shown = async (of: Uint8Array) =>
          shownOf(kind, [of], json, undefined, (await whereExpression(text))?.condition);
        const expected = (await shown(stream)).filter((line) => !line.startsWith('# --where'));
        const edge = await shown(analysedStream(stream, kind, 65_536, 0, text));
        expect(
          edge.filter((line) => !line.startsWith('# --where')),
          `${name} ${file}`,
        ).toEqual(expected);
        chosen += expected.length;
      }
    }
    expect(chosen).toBeGreaterThan(0);
  },
);

test('what does not match --where stays on its node, but for the first ones and the answers of DNS', {
  timeout: TIMEOUT,
}, async () => {
  const kind = { ...(await kindOf({ name: 'json', json: false })), detail: true };
  const stream = agentStream(readFileSync(join(TESTS, CAPTURE)));
  const length = (where?: string) => analysedStream(stream, kind, 65_536, 0, where).length;
  expect(length('http.status == 599')).toBeLessThan(length() * 0.95);
  expect(length('dst.pod == "none"')).toBe(length());
  expect(length('http.status == 599 || dst.pod == "none"')).toBe(length());
  expect(length('an expression of a newer client')).toBe(length());
  const noteOf = async (of: Uint8Array) => {
    const where = await whereExpression('http.status == 599');
    return shownOf(kind, [of], false, undefined, where?.condition)[0];
  };
  // How many did not match is known, wherever that was found.
  expect(await noteOf(stream)).toMatch(/^# --where: 0 of [1-9]\d* records matched/);
  expect(await noteOf(analysedStream(stream, kind, 65_536, 0, 'http.status == 599'))).toBe(await noteOf(stream));
});

test('the bytes may be cut anywhere', { timeout: TIMEOUT }, async () => {
  const kind = await kindOf({ name: 'json', json: false });
  const stream = agentStream(readFileSync(join(TESTS, CAPTURE)));
  const whole = shownOf(kind, [analysedStream(stream, kind)]);
  for (const chunk of [997, 4_096, stream.length]) {
    expect(shownOf(kind, [analysedStream(stream, kind, chunk)])).toEqual(whole);
  }
});

/** A Service whose pods are on two nodes, and a client: a connection is seen before and behind the Service's DNAT, on two nodes. */
test.each([CAPTURE, 'run/analysis/captures/wrong-service.pcapng'])(
  'what two nodes saw counts once: %s',
  { timeout: TIMEOUT },
  async (file) => {
    const bytes = readFileSync(join(TESTS, file));
    const streams = [...nodesOf(bytes).values()].map((names) => agentStream(bytes, (_id, name) => names.has(name)));
    expect(streams.length).toBe(2);
    for (const name of ['json', 'findings', 'map', 'trace']) {
      const kind = await kindOf({ name, json: false });
      const edges = streams.map((stream) => analysedStream(stream, kind));
      expect(shownOf(kind, edges), name).toEqual(shownOf(kind, streams));
    }
  },
);

test('an analysis that does not keep up leaves out connections, and says so', async () => {
  const kind = await kindOf({ name: 'json', json: false });
  const stream = agentStream(readFileSync(join(TESTS, CAPTURE)));
  const whole = shownOf(kind, [stream]);
  const sample = shownOf(kind, [analysedStream(stream, kind, 65_536, 20 * 1024 * 1024)]);
  const lines = (shown: readonly string[]) => shown.filter((line) => !line.startsWith('#')).length;
  expect(lines(sample)).toBeGreaterThan(0);
  expect(lines(sample)).toBeLessThan(lines(whole));
  expect(sample.find((line) => line.startsWith('# A SAMPLE: agents analysed'))).toMatch(
    /could not keep up with [\d,]+ more/,
  );
});

test('counts and records of a sample say that they are of one, and of a whole that they are not', async () => {
  const stream = agentStream(readFileSync(join(TESTS, CAPTURE)));
  const shown = async (name: string, isJson: boolean, waiting: number) => {
    const kind = await kindOf({ name, json: false });
    return shownOf(kind, [analysedStream(stream, kind, 65_536, waiting)], isJson);
  };
  const behind = 20 * 1024 * 1024;
  const sample = {
    share: expect.any(Number),
    since: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    nodes: expect.any(Array),
  };
  for (const name of ['summary', 'findings', 'map']) {
    const [document = ''] = await shown(name, true, behind);
    expect(JSON.parse(document), name).toMatchObject({ sample });
    expect(JSON.parse(document).sample.share).toBeGreaterThan(0);
    expect(JSON.parse(document).sample.share).toBeLessThan(1);
    expect(
      (await shown(name, false, behind)).some((line) => /^A SAMPLE: since/.test(line)),
      name,
    ).toBe(true);
    expect(JSON.parse((await shown(name, true, 0))[0] ?? ''), name).not.toHaveProperty('sample');
  }
  for (const name of ['json', 'flows']) {
    const marks = (lines: readonly string[]) =>
      lines.filter((line) => !line.startsWith('#')).map((line) => JSON.parse(line).sample);
    expect(marks(await shown(name, true, behind)), name).toContain(2);
    expect(new Set(marks(await shown(name, true, 0)))).toEqual(new Set([undefined]));
  }
});

test('a flow that two nodes saw with the same addresses counts once, and its packets there are copies', async () => {
  const kind = await kindOf({ name: 'json', json: false });
  const file = readFileSync(join(TESTS, 'run/analysis/captures/loss-response-http1-fast.pcap'));
  const stream = agentStream(file);
  const edge = analysedStream(stream, kind);
  const once = shownOf(kind, [edge]).filter((line) => !line.startsWith('#'));
  const twice = shownOf(kind, [edge, edge]);
  expect(twice.filter((line) => !line.startsWith('#'))).toEqual(once);
  expect(twice.some((line) => /duplicate packets? \(captured at more than one place\) counted once/.test(line))).toBe(
    true,
  );
});

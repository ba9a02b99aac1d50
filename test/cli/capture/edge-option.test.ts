import { expect, test } from 'vitest';
import { analysedOnNodes, type EdgeChoice } from '../../../src/cli/capture/edge-option.ts';
import { completeCapture, type RawCaptureOptions } from '../../../src/cli/capture/options.ts';
import { ANALYSIS_OUTPUTS } from '../../../src/run/analysis/index.ts';
import type { CapturePlan } from '../../../src/run/capture/plan.ts';
import { EDGE_FORM_NAMES, edgeRequest, isEdgeForm } from '../../../src/run/outputs/edge.ts';

const complete = (raw: Partial<RawCaptureOptions>) =>
  completeCapture(['svc/web'], { interface: 'any', ...raw }, { stdoutIsTerminal: true, canAsk: false });

test('outputs that are the same are analysed on the nodes where there are many, unless --no-edge is given', () => {
  for (const output of ['summary', 'findings', 'flows', 'map', 'csv']) {
    expect(complete({ output }).edge).toBe('many');
    expect(complete({ output, edge: false }).edge).toBe(false);
  }
  expect(complete({ output: 'summary', keylog: 'keys' }).edge).toBe(false);
  expect(complete({ output: 'summary', count: '5' }).edge).toBe(false);
  expect(complete({ output: 'summary', report: 'a.html' }).edge).toBe(false);
  expect(complete({ output: 'summary', agentless: true }).edge).toBe(false);
  expect(complete({ output: 'summary', asTenant: true }).edge).toBe(false);
  expect(complete({ output: 'json' }).edge).toBe(false);
});

test('packets come here unless --edge is given', () => {
  expect(complete({}).edge).toBe(false);
  expect(complete({ edge: true }).edge).toBe(true);
  expect(complete({ edge: true, output: 'trace' }).edge).toBe(true);
  expect(complete({ edge: true, output: 'summary', json: true, agentless: 'node' }).edge).toBe(true);
});

test.each<[Partial<RawCaptureOptions>, RegExp]>([
  [{ output: 'packets' }, /The packets output shows packets/],
  [{ output: 'pcapng', write: 'a.pcapng' }, /The pcapng output shows packets/],
  [{ output: 'html', write: 'a.html' }, /The html output shows packets/],
  [{ output: 'stream=1' }, /The stream output shows packets/],
  [{ output: 'state' }, /The state output shows what the kernel counted/],
  [{ output: 'summary-state=a.json' }, /With --edge there is no summary-state output: a saved summary/],
  [{ report: 'a.html', output: 'text' }, /--report/],
  [{ keylog: 'keys' }, /--keylog/],
  [{ clients: true }, /--clients/],
  [{ count: '5' }, /--count and --max-bytes/],
  [{ maxBytes: '5M' }, /--count and --max-bytes/],
  [{ agentless: true }, /--edge needs an agent/],
  [{ asTenant: true }, /--edge is not available to tenants/],
])('what needs the packets here excludes --edge: %j', (raw, message) => {
  expect(() => complete({ edge: true, ...raw })).toThrow(message);
});

test.each<[EdgeChoice, number, boolean, boolean, RegExp | undefined]>([
  [true, 1, false, true, undefined],
  [true, 20, true, false, /^warn: --edge is not available to tenants/],
  ['many', 15, false, false, undefined],
  ['many', 16, false, true, /^info: the packets of 16 nodes are analysed there/],
  ['many', 16, true, false, undefined],
  [false, 20, false, false, undefined],
])('--edge %s of %i nodes, as tenant %s: %s', (choice, nodes, asTenant, expected, logged) => {
  const lines: string[] = [];
  const log = {
    info: (line: string) => void lines.push(`info: ${line}`),
    warn: (line: string) => void lines.push(`warn: ${line}`),
    debug: () => {},
  };
  const plans = Array.from({ length: nodes }, (_, node) => ({ cluster: '', node: `node-${node}`, targets: [] }));
  expect(analysedOnNodes(choice, { plans: plans as unknown as CapturePlan['plans'], asTenant }, log)).toBe(expected);
  expect(lines).toEqual(logged === undefined ? [] : [expect.stringMatching(logged)]);
});

test('every form that can be made at the edge is a form', () => {
  const names = ANALYSIS_OUTPUTS.map(({ name }) => name);
  expect(EDGE_FORM_NAMES.filter((name) => !names.includes(name))).toEqual([]);
});

test('the agents look at what the form needs, and at all of it where an expression chooses', async () => {
  const settings = { where: undefined, showSecrets: false };
  for (const form of ANALYSIS_OUTPUTS.filter(({ name }) => isEdgeForm(name))) {
    const kind = await form.load();
    expect(edgeRequest(kind, settings)).toMatchObject({ detail: kind.detail, labels: kind.labels ?? false });
    // Bodies are read where the packets are; packets are taken only as what is sent of them.
    expect({ bodies: kind.bodies ?? false, traced: kind.packets }).toEqual({
      bodies: false,
      traced: kind.traced ?? kind.packets,
    });
    expect(edgeRequest(kind, settings).traced).toBe(kind.traced ?? false);
    expect(edgeRequest(kind, { ...settings, where: 'failed' }).detail).toBe(true);
  }
});

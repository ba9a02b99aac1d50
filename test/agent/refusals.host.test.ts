import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { AgentTarget } from '../../src/wire/agent-target.ts';
import { AgentProcess, captureRequest } from './agent-process.ts';
import { makePair, type NamespacePair } from './namespaces.ts';

let pair: NamespacePair;
beforeAll(() => {
  pair = makePair();
});
afterAll(() => pair.remove());

/** The event by which the agent refuses a request. It must have ended by itself, with code 1 and nothing on stdout. */
async function refused(target: AgentTarget, more: Parameters<typeof captureRequest>[1] = {}) {
  const agent = new AgentProcess();
  await agent.start(captureRequest([target], more));
  expect(await agent.exited).toBe(1);
  expect(agent.output).toHaveLength(0);
  expect(readdirSync('/dev/shm').filter((name) => name.startsWith(`ksnoop-${agent.pid}-`))).toEqual([]);
  return agent.event('failed');
}

const left = (): AgentTarget => ({ key: 't', kind: 'netns', name: pair.left });

it("refuses a bad filter with tcpdump's own words", async () => {
  expect(await refused(left(), { filter: 'tcp port http and (' })).toMatchObject({
    code: 'BAD_FILTER',
    message: expect.stringContaining('syntax error'),
  });
});

it('refuses a filter that the link type cannot have', async () => {
  const event = await refused(left(), { interface: 'any', filter: 'ether host 00:00:00:00:00:01' });
  expect(event).toMatchObject({ code: 'BAD_FILTER', message: expect.stringContaining('supported only on ethernet') });
});

/** Short enough for a request, and seconds of work for the compiler; two of them joined are minutes. */
const EXPENSIVE = Array.from({ length: 195 }, (_, index) => `portrange ${1 + 4 * index}-${3 + 4 * index}`).join(' or ');

it('refuses a filter that is too long or too expensive to compile', async () => {
  expect(await refused({ ...left(), filter: EXPENSIVE }, { filter: EXPENSIVE })).toMatchObject({
    code: 'BAD_FILTER',
    message: expect.stringContaining('too expensive to compile'),
  });
  expect(await refused(left(), { filter: `${EXPENSIVE} or ${EXPENSIVE}` })).toMatchObject({
    code: 'BAD_FILTER',
    message: expect.stringMatching(/has \d+ bytes, and 4096 are allowed/),
  });
});

it('takes a filter as words for tcpdump, not as flags or shell', async () => {
  const event = await refused(left(), { filter: '-z reboot' });
  expect(event).toMatchObject({ code: 'BAD_FILTER' });
  expect(await refused(left(), { filter: '$(touch /tmp/ksnoop-injected)' })).toMatchObject({ code: 'BAD_FILTER' });
  expect(readdirSync('/tmp')).not.toContain('ksnoop-injected');
});

it('refuses an unknown interface and names those that exist', async () => {
  expect(await refused(left(), { interface: 'eth7' })).toMatchObject({
    code: 'UNKNOWN_INTERFACE',
    hint: expect.stringMatching(/any, eth0, lo/),
  });
});

it('refuses a namespace, a process and a pod that do not exist', async () => {
  expect(await refused({ key: 't', kind: 'netns', name: 'ksnoop-none' })).toMatchObject({
    code: 'NO_SUCH_NAMESPACE',
    hint: expect.stringContaining(pair.left),
  });
  expect(await refused({ key: 't', kind: 'pid', pid: 2 ** 22 - 1 })).toMatchObject({ code: 'NO_SUCH_PROCESS' });
  const uid = '00000000-0000-4000-8000-000000000000';
  const pod = { key: 't', kind: 'pod', namespace: 'a', pod: 'b', uid, containers: [], hostNetwork: false } as const;
  expect(await refused(pod)).toMatchObject({ code: 'POD_HAS_NO_PROCESS' });
});

it('goes on with the targets that can be captured', async () => {
  const agent = new AgentProcess();
  const targets: AgentTarget[] = [left(), { key: 'none', kind: 'netns', name: 'ksnoop-none' }];
  await agent.start(captureRequest(targets));
  expect(agent.event('started')).toMatchObject({ target: 't' });
  expect(agent.event('target-failed')).toMatchObject({ target: 'none', code: 'NO_SUCH_NAMESPACE' });
  expect(await agent.stop()).toBe(0);
});

it.each([
  ['no JSON', 'hello\n', 'INVALID_MESSAGE'],
  ['another protocol', `${JSON.stringify({ ...captureRequest([]), protocol: '99.0' })}\n`, undefined],
])('refuses %s', async (_, text, code) => {
  const agent = new AgentProcess();
  agent.child.stdin?.write(text);
  expect(await agent.exited).toBe(1);
  const event = agent.event('failed');
  expect(event).toBeDefined();
  if (code !== undefined) expect(event?.code).toBe(code);
});

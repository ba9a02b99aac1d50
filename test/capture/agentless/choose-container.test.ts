import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { chooseContainer } from '../../../src/capture/agentless/choose-container.ts';
import type { AgentlessMode } from '../../../src/capture/agentless/preference.ts';
import { loadKube } from '../../../src/capture/kube/config.ts';
import { type ApiServer, channel, json, startApiServer, status } from '../../support/api-server.ts';
import { staticElf } from '../../support/static-elf.ts';

let server: ApiServer;
afterEach(() => server.close());

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-choose-'));
const program = join(directory, 'tcpdump');
beforeAll(() => writeFileSync(program, staticElf()));
afterAll(() => rmSync(directory, { recursive: true }));

const ROOT = 'capabilities 00000000a80425fb\n';
const NOBODY = 'capabilities 0000000000000000\n';
const DONE = '{"status":"Success"}';

const RESTRICTED = status(403, 'Forbidden', 'violates PodSecurity "restricted:latest"');
const NO_RIGHT = status(403, 'Forbidden', 'User "u" cannot patch resource "pods/ephemeralcontainers"');

/**
 * Choose among the containers of a pod, each of which prints this when it is looked into; undefined: it has no shell.
 * @param refusal of an ephemeral container; null: it is admitted
 */
async function choose(
  mode: AgentlessMode,
  containers: Readonly<Record<string, string | undefined>>,
  refusal: typeof RESTRICTED | null = RESTRICTED,
) {
  server = await startApiServer({
    onRequest: (_, response) => (refusal === null ? json(response, 200, {}) : json(response, 403, refusal)),
    onExec: (socket, request) => {
      const name = new URL(request.url ?? '', 'https://x').searchParams.get('container') ?? '';
      const text = containers[name];
      if (text !== undefined) socket.send(channel(1, text));
      const failure = '{"status":"Failure","message":"exec: \\"sh\\": not found"}';
      socket.send(channel(3, text === undefined ? failure : DONE));
      socket.close();
    },
  });
  const kube = await loadKube({ kubeconfig: server.kubeconfig() });
  const target = {
    key: 'u',
    kind: 'pod',
    namespace: 'shop',
    pod: 'web-1',
    uid: 'u',
    containers: Object.keys(containers).map((name) => ({ name, id: name })),
    hostNetwork: false,
  } as const;
  const preference = { mode, image: 'probe:1', program };
  return chooseContainer(kube, target, preference, { note: () => {}, signal: new AbortController().signal });
}

test('tcpdump of a container that may use it comes first', async () => {
  const pod = { shell: undefined, nobody: `tcpdump\n${NOBODY}`, root: `tcpdump\n${ROOT}` };
  expect(await choose('auto', pod)).toEqual({ container: 'root', tcpdump: 'tcpdump', after: 'nothing' });
});

test('a tcpdump that may not capture is used only where nothing else is wanted', async () => {
  const pod = { nobody: `tcpdump\n${NOBODY}` };
  expect(await choose('existing', pod)).toMatchObject({ container: 'nobody' });
});

test('the container of another capture, which ends with it, is not used', async () => {
  const pod = { app: ROOT, 'ksnoop-0a1b2c3d': `tcpdump\n${ROOT}` };
  await expect(choose('existing', pod)).rejects.toMatchObject({ code: 'POD_WITHOUT_TCPDUMP' });
  await server.close();
  expect(await choose('upload', { ...pod, app: undefined }).catch(({ code }) => code)).toBe('AGENTLESS_REFUSED');
});

test.each([
  ['existing', { app: ROOT }, 'POD_WITHOUT_TCPDUMP', /has tcpdump and a shell/, /--agentless=node/],
  ['ephemeral', { app: ROOT }, 'AGENTLESS_REFUSED', /restricted/, /--agentless=node/],
  ['auto', { app: NOBODY }, 'AGENTLESS_REFUSED', /restricted.*needs root with NET_RAW/, /--agentless=node/],
  ['upload', { app: NOBODY }, 'AGENTLESS_REFUSED', /needs root with NET_RAW/, /--agentless=node/],
  ['upload', { app: undefined }, 'AGENTLESS_REFUSED', /has a shell/, /--agentless=node/],
  ['upload', { app: `${ROOT}machine riscv64\n` }, 'AGENTLESS_REFUSED', /runs on riscv64/, /--agentless=node/],
] as const)('a mode that is refused (%s) names the reason and the next mode', async (mode, pod, code, why, next) => {
  const refusal = choose(mode, pod);
  await expect(refusal).rejects.toMatchObject({
    code,
    message: expect.stringMatching(why),
    hint: expect.stringMatching(next),
  });
});

test.each([
  ['existing', 'refused by a policy', RESTRICTED, false],
  ['upload', 'refused by a policy', RESTRICTED, false],
  ['existing', 'admitted', null, true],
  ['upload', 'admitted', null, true],
  ['upload', 'not to be asked for', NO_RIGHT, true],
] as const)('%s that cannot capture, where an ephemeral container is %s', async (mode, _, refusal, suggested) => {
  const { hint } = await choose(mode, { app: NOBODY }, refusal).catch((thrown) => thrown);
  expect(hint).toContain('--agentless=node');
  expect(hint.includes('--agentless=ephemeral')).toBe(suggested);
  const patches = server.seen.filter((line) => line.includes('ephemeralcontainers'));
  expect(patches).not.toHaveLength(0);
  for (const line of patches) expect(line, 'nothing is added').toContain('dryRun=All');
});

test('tcpdump is uploaded to the container that may capture', async () => {
  const pod = { nobody: NOBODY, root: `${ROOT}machine x86_64\n` };
  const chosen = await choose('upload', pod);
  expect(chosen).toMatchObject({ container: 'root', after: 'remove' });
  expect(chosen.tcpdump).toMatch(/^\/dev\/ksnoop-[0-9a-f]{8}$/);
  const upload = server.seen.find((line) => line.includes('head'));
  expect(upload).toContain('container=root');
  expect(upload).toContain(`command=${encodeURIComponent(chosen.tcpdump)}`);
});

// Finding a pod's network namespace, in recorded trees of /proc: a namespace is a file, and who shares it has a link to it.
import { spawnSync } from 'node:child_process';
import { closeSync, linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type OpenNetns, openNetns } from '../../../src/agent/netns/namespace.ts';
import { Proc } from '../../../src/agent/netns/proc.ts';
import type { PodAgentTarget } from '../../../src/wire/agent-target.ts';

const UID = '0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9';
const OTHER_UID = '99999999-4e5f-6071-8293-a4b5c6d7e8f9';
const APP = 'aa'.repeat(32);
const PAUSE = 'bb'.repeat(32);
const NET_DEV = (names: readonly string[]) => `Inter-|\n face |\n${names.map((name) => `  ${name}: 0 0`).join('\n')}\n`;

let root: string;
let held: OpenNetns[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ksnoop-proc-'));
  held = [];
  process_(1, '0::/init.scope', 'host', ['lo', 'ens3']);
});
afterEach(() => {
  vi.unstubAllEnvs();
  for (const { fd } of held) closeSync(fd);
  rmSync(root, { recursive: true });
});

function process_(pid: number, cgroup: string, namespace: string, interfaces: readonly string[], parent = 0): void {
  const directory = join(root, String(pid));
  mkdirSync(join(directory, 'ns'), { recursive: true });
  mkdirSync(join(directory, 'net'));
  writeFileSync(join(directory, 'cgroup'), `${cgroup}\n`);
  writeFileSync(join(directory, 'stat'), `${pid} (a (b) c) S ${parent} ${'0 '.repeat(17)}100 0 0\n`);
  writeFileSync(join(directory, 'net', 'dev'), NET_DEV(interfaces));
  const file = join(root, `namespace-${namespace}`);
  writeFileSync(file, '', { flag: 'a' });
  linkSync(file, join(directory, 'ns', 'net'));
}

const inPod = (uid: string, container: string) =>
  `0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${uid.replaceAll('-', '_')}.slice/cri-containerd-${container}.scope`;
const inode = (namespace: string) => statSync(join(root, `namespace-${namespace}`)).ino;
const TARGET: PodAgentTarget = {
  key: 'k',
  kind: 'pod',
  namespace: 'shop',
  pod: 'web-1',
  uid: UID,
  containers: [{ name: 'nginx', id: APP }],
  hostNetwork: false,
};

function hold(target: PodAgentTarget = TARGET): OpenNetns {
  const proc = new Proc(root);
  const namespace = openNetns(target, proc, proc.podProcesses());
  held.push(namespace);
  return namespace;
}

test('the namespace of the pod, told apart from other pods, with its interfaces', () => {
  process_(10, inPod(OTHER_UID, 'cc'.repeat(32)), 'other', ['lo', 'eth0']);
  process_(20, inPod(UID, PAUSE), 'web', ['lo', 'eth0', 'net1']);
  process_(21, inPod(UID, APP), 'web', ['lo', 'eth0', 'net1']);
  const namespace = hold();
  expect(namespace.inode).toBe(inode('web'));
  expect(namespace.name).toBe('shop/web-1');
  expect(namespace.interfaces()).toEqual(['lo', 'eth0', 'net1']);
  expect(namespace.description).toContain('containers=nginx');
});

test('without a pause process (CRI-O) any process of the pod will do', () => {
  process_(21, inPod(UID, APP).replace('cri-containerd', 'crio'), 'web', ['lo', 'eth0']);
  expect(hold().inode).toBe(inode('web'));
});

test('a static pod is found by its config hash, or by its container where the hash is not known', () => {
  const hash = 'd41d8cd98f00b204e9800998ecf8427e';
  process_(30, inPod(hash, APP), 'static', ['lo', 'eth0']);
  expect(hold({ ...TARGET, uid: hash }).inode).toBe(inode('static'));
  expect(hold().inode).toBe(inode('static'));
});

test("a process of the pod in the node's own namespace is passed over", () => {
  process_(19, inPod(UID, APP), 'host', ['lo', 'ens3']);
  process_(20, inPod(UID, PAUSE), 'web', ['lo', 'eth0']);
  expect(hold().inode).toBe(inode('web'));
});

test('a hostNetwork pod is the node', () => {
  const namespace = hold({ ...TARGET, hostNetwork: true });
  expect(namespace.inode).toBe(inode('host'));
  expect(namespace.name).toMatch(/^node\//);
  expect(namespace.description).toContain('hostNetwork=true');
});

test('it lives as long as any process of the pod is in it', () => {
  process_(20, inPod(UID, PAUSE), 'web', ['lo', 'eth0']);
  process_(21, inPod(UID, APP), 'web', ['lo', 'eth0']);
  const namespace = hold();
  rmSync(join(root, '20'), { recursive: true });
  expect(namespace.alive()).toBe(true);
  rmSync(join(root, '21'), { recursive: true });
  expect(namespace.alive()).toBe(false);
  // The pid is used again, by another pod.
  process_(20, inPod(OTHER_UID, PAUSE), 'other', ['lo', 'eth0']);
  expect(namespace.alive()).toBe(false);
});

test('no process, and no interface but lo, are errors with a reason', () => {
  expect(() => hold()).toThrow(expect.objectContaining({ code: 'POD_HAS_NO_PROCESS' }));
  process_(20, inPod(UID, PAUSE), 'web', ['lo']);
  expect(() => hold()).toThrow(expect.objectContaining({ code: 'NO_INTERFACE' }));
});

test("a container's name does not make a process of another pod the target's", () => {
  process_(20, inPod(OTHER_UID, APP), 'other', ['lo', 'eth0']);
  expect(() => hold()).toThrow(expect.objectContaining({ code: 'POD_HAS_NO_PROCESS' }));
});

test('a process that the pod started in a namespace of its own is not taken, whatever its pid', () => {
  const crio = (uid: string, container: string) => inPod(uid, container).replace('cri-containerd', 'crio');
  process_(15, crio(UID, APP), 'decoy', ['lo', 'eth0'], 21);
  process_(16, crio(UID, APP), 'empty', ['lo'], 15);
  process_(21, crio(UID, APP), 'web', ['lo', 'eth0'], 1);
  process_(22, crio(UID, APP), 'host', ['lo', 'ens3'], 21);
  const namespace = hold();
  expect(namespace.inode).toBe(inode('web'));
  expect(namespace.others).toBe(2);
  rmSync(join(root, '15'), { recursive: true });
  rmSync(join(root, '16'), { recursive: true });
  expect(hold().others).toBe(0);
});

test('the kernel tells which pod and container it is', () => {
  process_(20, inPod(UID, PAUSE), 'web', ['lo', 'eth0']);
  expect(hold().owner).toMatchObject({ pod: UID, container: PAUSE });
});

test.each([
  ['a named namespace', { key: 'k', kind: 'netns', name: '/proc/1/ns/net' }],
  ['a process', { key: 'k', kind: 'pid', pid: 1 }],
  ['a pod by its name', { key: 'k', kind: 'local-pod', namespace: 'shop', pod: 'web-1' }],
] as const)('an agent in a cluster does not capture %s', (_, target) => {
  vi.stubEnv('NODE_NAME', 'node1');
  expect(() => openNetns(target, new Proc(root), [])).toThrow(expect.objectContaining({ code: 'NOT_ALLOWED' }));
});

test('an agent in a cluster does not capture its own network, nor is anything of it left open', () => {
  process_(20, inPod(UID, PAUSE), 'web', ['lo', 'eth0']);
  const self = join(root, 'self');
  mkdirSync(join(self, 'ns'), { recursive: true });
  linkSync(join(root, 'namespace-web'), join(self, 'ns', 'net'));
  hold();
  vi.stubEnv('NODE_NAME', 'node1');
  const before = readdirSync('/proc/self/fd').length;
  expect(() => hold()).toThrow(expect.objectContaining({ code: 'NOT_ALLOWED' }));
  expect(readdirSync('/proc/self/fd')).toHaveLength(before);
  rmSync(join(self, 'ns', 'net'));
  linkSync(join(root, 'namespace-host'), join(self, 'ns', 'net'));
  hold();
  held.push(openNetns({ key: 'k', kind: 'host' }, new Proc(root), []));
});

/** In a process of its own: an open that waits cannot be broken off. @returns the error's code, or null when it waited */
function openedAs(name: string): string | null {
  const script = `
    import { openNetns } from ${JSON.stringify(join(import.meta.dirname, '../../../src/agent/netns/namespace.ts'))};
    try {
      openNetns({ key: 'k', kind: 'netns', name: process.argv[1] }, {}, []);
      console.log('opened');
    } catch (thrown) {
      console.log(thrown.code ?? thrown.message);
    }`;
  const options = { encoding: 'utf8', timeout: 20_000, env: { PATH: process.env.PATH } } as const;
  const { stdout, signal } = spawnSync('node', ['--input-type=module', '-e', script, name], options);
  return signal === null ? stdout.trim() : null;
}

test('a path that is no namespace is none, whether it exists or not; a FIFO does not hold the agent up', () => {
  const fifo = join(root, 'fifo');
  spawnSync('mkfifo', [fifo]);
  expect(openedAs(fifo)).toBe('NO_SUCH_NAMESPACE');
  expect(openedAs(join(root, 'namespace-host'))).toBe('NO_SUCH_NAMESPACE');
  expect(openedAs(join(root, 'nothing'))).toBe('NO_SUCH_NAMESPACE');
  expect(openedAs('/proc/self/ns/net')).toBe('opened');
});

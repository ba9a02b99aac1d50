// The ports by which captures travel, in a made tree of /proc: a socket is a link, a listening one a line of net/tcp.
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ownTrafficFilter } from '../../../src/agent/netns/own-traffic.ts';
import { Proc } from '../../../src/agent/netns/proc.ts';

let root: string;
let listening: string[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ksnoop-proc-'));
  listening = [];
  made(1, 'systemd', '0::/init.scope', []);
});
afterEach(() => rmSync(root, { recursive: true }));

/** A process with sockets that listen on ports; in the host's network unless another namespace is named. */
function made(pid: number, comm: string, cgroup: string, ports: readonly number[], namespace = 'host'): void {
  const directory = join(root, String(pid));
  for (const part of ['ns', 'net', 'fd']) mkdirSync(join(directory, part), { recursive: true });
  writeFileSync(join(directory, 'comm'), `${comm}\n`);
  writeFileSync(join(directory, 'cgroup'), `${cgroup}\n`);
  const file = join(root, `namespace-${namespace}`);
  writeFileSync(file, '', { flag: 'a' });
  linkSync(file, join(directory, 'ns', 'net'));
  for (const port of ports) {
    const inode = pid * 1_000 + listening.length;
    symlinkSync(`socket:[${inode}]`, join(directory, 'fd', String(port)));
    const local = `00000000:${port.toString(16).padStart(4, '0').toUpperCase()}`;
    listening.push(
      `  0: ${local} 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 ${inode} 1 0 100 0 0 10 0`,
    );
  }
  writeFileSync(join(root, '1', 'net', 'tcp'), `  sl  local_address\n${listening.join('\n')}\n`);
}

const SERVICE = '0::/system.slice/kubelet.service';
const POD = `0::/kubepods.slice/kubepods-pod0a1b2c3d_4e5f_6071_8293_a4b5c6d7e8f9.slice/cri-containerd-${'ab'.repeat(32)}.scope`;
const filter = () => ownTrafficFilter(new Proc(root));

test("the kubelet's port, and what kubelet and container runtime listen on, neighbours as ranges", () => {
  expect(filter()).toBe('tcp port 10250');
  made(10, 'kubelet', SERVICE, [10_248, 10_250]);
  made(11, 'containerd', '0::/system.slice/containerd.service', [40_001, 40_002, 40_003]);
  made(12, 'nginx', SERVICE, [80]);
  expect(filter()).toBe('tcp port 10248 or tcp port 10250 or tcp portrange 40001-40003');
});

test("a pod's process of that name hides no port of its own", () => {
  made(20, 'kubelet', POD, [4_444]);
  expect(filter()).toBe('tcp port 10250');
});

test('nor does one in another network namespace', () => {
  made(20, 'kubelet', SERVICE, [4_444], 'other');
  expect(filter()).toBe('tcp port 10250');
});

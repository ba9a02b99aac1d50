import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cpuThrottling } from '../../../src/agent/netns/cpu-throttling.ts';
import { Proc } from '../../../src/agent/netns/proc.ts';

const UID = '0a1b2c3d-1111-2222-3333-444455556666';
const SYSTEMD = UID.replaceAll('-', '_');
const WEB = 'a'.repeat(64);
const OTHER = 'b'.repeat(64);
let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'ksnoop-cgroup-'));
});
afterAll(() => rmSync(root, { recursive: true }));

function put(path: string, text: string): void {
  const file = join(root, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, text);
}

let pids = 100;

/** Counters of a pod. @param cgroup the content of /proc/PID/cgroup of a process @param mount below the root */
function counters(cgroup: string, mount: string): Record<string, number> {
  pids += 1;
  put(`proc/${pids}/cgroup`, cgroup);
  return cpuThrottling(
    join(root, mount),
    new Proc(join(root, 'proc')),
    { pid: pids, pod: UID },
    new Map([[WEB, 'web']]),
  );
}

const v2 = (throttled: number) =>
  `usage_usec 12\nuser_usec 1\nsystem_usec 1\nnr_periods 300\nnr_throttled ${throttled}\nthrottled_usec 2500000\nnr_bursts 0\n`;

test('version 2, systemd: the pod, and its containers by name; those without a limit are left out', () => {
  const pod = `kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${SYSTEMD}.slice`;
  put(`two/${pod}/cpu.stat`, v2(0));
  put(`two/${pod}/cri-containerd-${WEB}.scope/cpu.stat`, v2(40));
  put(`two/${pod}/cri-containerd-${OTHER}.scope/cpu.stat`, 'usage_usec 7\nnr_periods 0\nnr_throttled 0\n');
  const expected = {
    'Cgroup pod nr_periods': 300,
    'Cgroup pod throttled_usec': 2_500_000,
    'Cgroup web nr_periods': 300,
    'Cgroup web nr_throttled': 40,
    'Cgroup web throttled_usec': 2_500_000,
  };
  expect(counters(`0::/${pod}/cri-containerd-${WEB}.scope\n`, 'two')).toEqual(expected);
  // The agent's cgroup namespace is its own: the path begins there.
  expect(counters(`0::/../../../kubepods-burstable.slice/x-pod${SYSTEMD}.slice/cri\n`, 'two')).toEqual(expected);
});

test('version 1, below a root of its own: nanoseconds become microseconds', () => {
  const pod = `node1/kubepods/pod${UID}`;
  put(`one/cpu/${pod}/cpu.stat`, 'nr_periods 0\nnr_throttled 0\nthrottled_time 0\n');
  put(`one/cpu/${pod}/${OTHER}/cpu.stat`, 'nr_periods 20\nnr_throttled 5\nthrottled_time 4000000\n');
  expect(counters(`9:memory:/else\n4:cpu:/${pod}/${OTHER}\n0::/\n`, 'one')).toEqual({
    'Cgroup bbbbbbbbbbbb nr_periods': 20,
    'Cgroup bbbbbbbbbbbb nr_throttled': 5,
    'Cgroup bbbbbbbbbbbb throttled_usec': 4000,
  });
});

test('what is not there, or not as expected, has no counters', () => {
  expect(counters('', 'two')).not.toEqual({});
  expect(counters('0::/elsewhere\n', 'nothing')).toEqual({});
  put(`odd/kubepods/pod${UID}/cpu.stat`, 'nr_periods many\nnr_throttled\n__proto__ 3\n');
  expect(counters('', 'odd')).toEqual({});
});

import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { makeCgroup, removeCgroup } from './cgroups.ts';

const FREEZER = '/sys/fs/cgroup/freezer';

it.skipIf(!existsSync(FREEZER))(
  'removes a directory whose processes are frozen, as runc leaves them when it is killed',
  async () => {
    const path = `ksnoop-test-${process.pid}`;
    makeCgroup(path);
    const child = spawn('sleep', ['600'], { stdio: 'ignore' });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    onTestFinished(() => void child.kill('SIGKILL'));
    for (const hierarchy of ['cpu', 'freezer']) {
      writeFileSync(`/sys/fs/cgroup/${hierarchy}/${path}/cgroup.procs`, String(child.pid));
    }
    writeFileSync(`${FREEZER}/${path}/freezer.state`, 'FROZEN');
    await removeCgroup(path);
    await ended;
    expect(existsSync(`/sys/fs/cgroup/cpu/${path}`)).toBe(false);
    expect(existsSync(`${FREEZER}/${path}`)).toBe(false);
  },
);

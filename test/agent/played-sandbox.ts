import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { PodAgentTarget } from '../../src/wire/agent-target.ts';

/** Where the machine's unified hierarchy is: beside the others (hybrid), or alone. */
const HIERARCHY = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'].find((path) => existsSync(`${path}/cgroup.procs`));

/** A pod as a node has it: one process in a network namespace and in a cgroup that carries the pod's UID. */
export class PlayedSandbox {
  readonly target: PodAgentTarget;
  readonly #directories: string[] = [];
  #child: ChildProcess | undefined;

  constructor(pod: string) {
    const uid = randomUUID();
    const common = { containers: [], hostNetwork: false, wait: true } as const;
    this.target = { key: uid, kind: 'pod', namespace: 'shop', pod, uid, ...common };
  }

  /** Start its first process, inside a named network namespace. */
  start(namespace: string): void {
    if (HIERARCHY === undefined) throw new Error('there is no cgroup v2 hierarchy');
    const directory = join(HIERARCHY, 'ksnoop-test', `pod${this.target.uid}`, randomBytes(32).toString('hex'));
    mkdirSync(directory, { recursive: true });
    this.#directories.push(directory);
    const script = 'echo $$ > "$0/cgroup.procs" && exec nsenter --net="$1" -- sleep 600';
    this.#child = spawn('sh', ['-c', script, directory, `/run/netns/${namespace}`], { stdio: 'ignore' });
  }

  async end(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    const closed = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await closed;
  }

  async remove(): Promise<void> {
    await this.end();
    for (const directory of this.#directories)
      for (const path of [directory, dirname(directory), dirname(dirname(directory))]) drop(path);
  }
}

function drop(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // Another pod of the test is in it, or it has gone.
  }
}

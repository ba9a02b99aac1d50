import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { KsnoopProcess } from '../../support/ksnoop-process.ts';
import { type ObjectServer, startObjectServer } from '../../support/object-server.ts';

let server: ObjectServer;

const agent = (name: string, phase: string, message?: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'ksnoop', uid: name, labels: { 'app.kubernetes.io/name': 'ksnoop-agent' } },
  spec: { nodeName: 'node-1', containers: [{ name: 'agent', image: 'x' }] },
  status: { phase, ...(message && { reason: 'Evicted', message }) },
});

beforeAll(async () => {
  server = await startObjectServer(agent('runs', 'Running'), agent('gone', 'Failed', 'The node was low on disk'));
});
afterAll(() => server.api.close());

const cleanup = (...args: string[]) => new KsnoopProcess(['cleanup', ...args], server.api.kubeconfig()).finished();

const running: ChildProcess[] = [];
/** Leaders of process groups. */
const groups: ChildProcess[] = [];
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
  for (const { pid } of groups.splice(0)) if (pid !== undefined) process.kill(-pid, 'SIGKILL');
});

/** What `cleanup -o json` found of the cluster and of one process: other tests' processes may still be ending. */
const found = (json: Buffer, pid: number | undefined) =>
  JSON.parse(json.toString()).filter(
    ({ what }: { what: string }) => what.startsWith('pod ') || what.startsWith(`process ${pid}:`),
  );

/** A process with the mark of a capture, whose parent has ended. */
async function orphan(): Promise<number> {
  const shell = spawn('sh', ['-c', 'KSNOOP_SESSION=0123 sleep 60 >/dev/null 2>&1 & echo $!'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let text = '';
  shell.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(shell, 'close');
  return Number(text);
}

/** A process with the mark whose parent is this one: no agent, and not init either. */
function adopted(): number | undefined {
  const child = spawn('sleep', ['61'], { stdio: 'ignore', env: { ...process.env, KSNOOP_SESSION: '0123' } });
  running.push(child);
  return child.pid;
}

/** A process with the mark whose parent is an agent by its command line: a capture that goes on. */
function captured(): void {
  const script = 'KSNOOP_SESSION=0123 sleep 62 & wait; :';
  groups.push(spawn('sh', ['-c', script, 'ksnoop-agent'], { stdio: 'ignore', detached: true }));
}

test('with --dry-run what is left is named and stays; without, it goes, and what runs stays', async () => {
  const pid = await orphan();
  const only = await cleanup('--dry-run', '-o', 'json');
  expect(found(only.stdout, pid)).toEqual([
    { what: `process ${pid}: sleep 60`, why: 'its agent is gone', removed: false },
    { what: 'pod ksnoop/gone of node node-1', why: 'Evicted: The node was low on disk', removed: false },
  ]);
  expect(() => process.kill(pid, 0)).not.toThrow();
  const { code, stdout, stderr } = await cleanup();
  expect(code).toBe(0);
  expect(stderr).toContain('looking for');
  expect(stdout.toString()).toContain(`removed process ${pid}`);
  expect(stdout.toString()).toContain('removed pod ksnoop/gone');
  expect(server.api.seen.filter((line) => line.startsWith('DELETE'))).toEqual([
    expect.stringMatching(/^DELETE \/api\/v1\/namespaces\/ksnoop\/pods\/gone\?/),
  ]);
});

test('it is no matter who adopted an orphan; what an agent runs is none', async () => {
  captured();
  const pid = adopted();
  const { stdout } = await cleanup('--dry-run', '-o', 'json');
  expect(found(stdout, pid)[0]).toEqual({
    what: `process ${pid}: sleep 61`,
    why: 'its agent is gone',
    removed: false,
  });
  expect(stdout.toString()).not.toContain('sleep 62');
});

test('without a cluster this machine is looked at all the same', async () => {
  const { code, stderr } = await new KsnoopProcess(['cleanup', '--dry-run'], '/nowhere').finished();
  expect({ code, stderr }).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('the cluster is skipped: There is no kubeconfig'),
  });
});

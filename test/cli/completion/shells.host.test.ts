// Completion in real shells and a real terminal, against an API server of the test's own.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RESPONSE_TIMEOUT_MS } from '../../../src/capture/kube/limits.ts';
import { type ApiServer, startApiServer } from '../../support/api-server.ts';
import { KsnoopProcess } from '../../support/ksnoop-process.ts';
import { type ObjectServer, startObjectServer } from '../../support/object-server.ts';
import { ensurePackages } from '../../support/packages.ts';
import { abandonsLine, completes, completingShell, SHELLS } from '../../support/shells.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-shells-'));
let server: ObjectServer;
let silent: ApiServer;

const object = (kind: string, name: string) => ({ apiVersion: 'v1', kind, metadata: { name } });

beforeAll(async () => {
  const missing = ensurePackages(['tmux', 'zsh', 'fish']);
  if (missing !== undefined) throw new Error(missing);
  server = await startObjectServer(
    // A hostile server's name: the shell would run it, so it is not offered, and `web-main` stays the only one.
    ...['web-main', 'web-$(touch mark)', 'api', 'api-v2'].map((name) => object('Service', name)),
    object('Namespace', 'shop'),
  );
  silent = await startApiServer({ onRequest: () => {} });
});
afterAll(async () => {
  await Promise.all([server.api.close(), silent.close()]);
  rmSync(directory, { recursive: true });
});

const home = () => mkdtempSync(join(directory, 'home-'));

test.each(SHELLS)('%s completes commands, flags, kinds and the names of the cluster', async (shell) => {
  const terminal = await completingShell(shell, home(), server.api.kubeconfig({ namespace: 'shop' }));
  try {
    await completes(terminal, 'ksnoop instal', /ready> ksnoop install$/m);
    await abandonsLine(terminal);
    await completes(terminal, 'ksnoop --all-n', /ready> ksnoop --all-namespaces/);
    await abandonsLine(terminal);
    await completes(terminal, 'ksnoop --namespace=sh', /--namespace=shop/);
    await abandonsLine(terminal);
    await completes(terminal, 'ksnoop servi', /ready> ksnoop service\/$/m);
    await abandonsLine(terminal);
    await completes(terminal, 'ksnoop svc/w', /ready> ksnoop svc\/web-main/);
    await abandonsLine(terminal);
    await completes(terminal, "ksnoop read a --where 'failed && http.stat", /--where 'failed && http\.status/);
    await abandonsLine(terminal);
    await completes(terminal, 'ksnoop read a --where tcp.sta', /--where tcp\.state/);
    await abandonsLine(terminal);
    // Several: the shell shows them, and writes what they share.
    const screen = await completes(terminal, 'ksnoop svc/a', /api-v2/);
    expect(screen).toContain('svc/api');
  } finally {
    terminal.close();
  }
});

test.each(SHELLS)(
  '%s: when the cluster does not answer there is nothing, and the line stays as it is',
  async (shell) => {
    const terminal = await completingShell(shell, home(), silent.kubeconfig());
    try {
      terminal.type('ksnoop svc/w');
      terminal.press('Tab');
      // What is typed behind it comes when the shell reads again.
      terminal.type('xyz');
      const screen = await terminal.shows(/svc\/wxyz/);
      expect(screen).not.toMatch(/error|unexpected|cannot|command not found/i);
      expect(screen.match(/ready>/g)).toHaveLength(1);
    } finally {
      terminal.close();
    }
  },
);

test.each(SHELLS)('%s: nothing of what is typed is run by asking for its completion', async (shell) => {
  const own = home();
  const terminal = await completingShell(shell, own, server.api.kubeconfig());
  try {
    const mark = join(own, 'mark');
    terminal.type(`ksnoop --where "$(touch ${mark})" --namespace=`);
    terminal.press('Tab');
    await terminal.shows(/--namespace=/);
    terminal.type('x');
    await terminal.shows(/--namespace=.*x/);
    expect(existsSync(mark)).toBe(false);
  } finally {
    terminal.close();
  }
});

test('a name that a shell would run is not offered', async () => {
  const kubeconfig = server.api.kubeconfig({ namespace: 'shop' });
  const offered = async () => {
    const { stdout } = await new KsnoopProcess(['__complete', '--', 'svc/web'], kubeconfig).finished();
    return stdout.toString();
  };
  // The first may find the time over; it asks in the background then.
  await expect.poll(offered, { timeout: 60_000 }).toContain('svc/web-main');
  expect(await offered()).not.toContain('$(');
});

test('a file is the shell’s own to complete', async () => {
  const { stdout } = await new KsnoopProcess(['__complete', '--', 'read', ''], '/nowhere').finished();
  expect(stdout.toString()).toBe(':0\n');
});

test('the cluster that is not there costs no more than the time a person does not notice', async () => {
  const since = performance.now();
  const { stdout, stderr, code } = await new KsnoopProcess(
    ['__complete', '--', 'svc/w'],
    silent.kubeconfig(),
  ).finished();
  expect({ stdout: stdout.toString(), stderr, code }).toEqual({ stdout: ':4\n', stderr: '', code: 0 });
  // A command's request would be given this time; most of what passes is the start of a process on a busy machine.
  expect(performance.now() - since).toBeLessThan(RESPONSE_TIMEOUT_MS);
});

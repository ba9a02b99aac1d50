// Completion on a real cluster, in real shells, and as kubectl asks for its plugins'.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { program as builtProgram } from '../cluster/builds.ts';
import { attempt } from '../cluster/run.ts';
import type { TestCluster } from '../support/cluster.ts';
import { program } from '../support/ksnoop-process.ts';
import { ensurePackages } from '../support/packages.ts';
import { abandonsLine, completes, completingShell, SHELLS } from '../support/shells.ts';
import { ensureShop, shopPods } from '../support/shop.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-tab-'));
let on: TestCluster;

beforeAll(async () => {
  const missing = ensurePackages(['tmux', 'zsh', 'fish']);
  if (missing !== undefined) throw new Error(missing);
  on = await ensureShop();
});
afterAll(() => rmSync(directory, { recursive: true }));

test.each(SHELLS)('%s: ksnoop svc/w<Tab> knows the Services, pods and containers of the shop', async (shell) => {
  const [pod] = await shopPods(on, 'web');
  const terminal = await completingShell(shell, mkdtempSync(join(directory, 'home-')), on.kubeconfig);
  try {
    await completes(terminal, 'ksnoop -n sho', /ready> ksnoop -n shop/);
    const screen = await completes(terminal, ' svc/w', /web-headless/);
    expect(screen).toMatch(/svc\/web\b/);
    await abandonsLine(terminal);
    const start = `${pod?.name.slice(0, -2)}`;
    await completes(terminal, `ksnoop -n shop pod/${start}`, new RegExp(`pod/${pod?.name}`));
  } finally {
    terminal.close();
  }
});

test("kubectl completes the plugin's words", async ({ skip }) => {
  if (!on.own) skip();
  const bin = join(directory, 'bin');
  mkdirSync(bin);
  symlinkSync(builtProgram('kubectl'), join(bin, 'kubectl'));
  const plugins = {
    'kubectl-ksnoop': program,
    'kubectl_complete-ksnoop': join(program, '../kubectl_complete-ksnoop.mjs'),
  };
  for (const [name, path] of Object.entries(plugins)) {
    const file = join(bin, name);
    writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' '${path}' "$@"\n`);
    chmodSync(file, 0o755);
  }
  const env = {
    ...process.env,
    PATH: [bin, process.env.PATH ?? ''].join(delimiter),
    KUBECONFIG: on.kubeconfig,
    XDG_CACHE_HOME: join(directory, 'cache'),
  };
  const ask = () => attempt(['kubectl', '__complete', 'ksnoop', '-n', 'shop', 'deploy/w'], { env });
  let answer = await ask();
  // A machine under load may miss the first answer; it is kept for the next.
  for (let attempts = 0; !answer.stdout.includes('deploy/') && attempts < 50; attempts++) answer = await ask();
  expect(answer.stdout).toMatch(/^deploy\/web\n:4\n/);
});

import { expect, test } from 'vitest';
import { KSNOOP_IN_SHELL } from '../../support/ksnoop-process.ts';
import { ensurePackages } from '../../support/packages.ts';
import { Terminal } from '../../support/terminal.ts';

test('ksnoop alone on a terminal says what it is and what is done most', async () => {
  expect(ensurePackages(['tmux'])).toBe(undefined);
  const terminal = new Terminal(['sh', '-c', `${KSNOOP_IN_SHELL}; echo "code $?"; sleep 600`]);
  try {
    const screen = await terminal.shows(/^code \d/m);
    expect(screen).toMatch(/^Point at any Kubernetes object/m);
    expect(screen.match(/^ {2}ksnoop \S/gm)).toHaveLength(4);
    expect(screen).toMatch(/^code 0/m);
  } finally {
    terminal.close();
  }
});

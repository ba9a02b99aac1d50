import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DESCRIPTION } from '../../daemonset/image/description.ts';
import { dockerfile } from '../../daemonset/image/dockerfile.ts';

const root = join(import.meta.dirname, '../..');

test('the Dockerfile is what the description says', () => {
  expect(readFileSync(join(root, 'daemonset/image/Dockerfile'), 'utf8')).toBe(dockerfile());
});

test('the image has the Node that the tests run on', () => {
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect(DESCRIPTION.node).toBe(devDependencies.node);
});

test('nothing in the image is a shell', () => {
  const names = [...DESCRIPTION.programs, DESCRIPTION.nodePath, DESCRIPTION.agentPath].map((path) =>
    path.split('/').at(-1),
  );
  expect(names.sort()).toEqual(['head', 'ksnoop-agent', 'mkfifo', 'node', 'nsenter', 'prlimit', 'setpriv', 'tcpdump']);
});

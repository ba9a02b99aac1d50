import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Proc } from '../../../src/agent/netns/proc.ts';
import { resolverIn, resolverOf } from '../../../src/agent/netns/resolver.ts';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'ksnoop-resolver-'));
});
afterAll(() => rmSync(root, { recursive: true }));

test('servers, domains and ndots of a resolv.conf', () => {
  const text =
    '# kubelet\nsearch old\nsearch shop.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5 timeout:2\n';
  expect(resolverIn(text)).toEqual({
    nameservers: ['10.96.0.10'],
    search: ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local'],
    ndots: 5,
  });
  expect(resolverIn('')).toEqual({ nameservers: [], search: [], ndots: 1 });
});

test('a resolv.conf of any size keeps its bounds', () => {
  const long = `search ${'x'.repeat(300)} ${'d '.repeat(10_000)}\n${'nameserver 1.1.1.1\n'.repeat(10_000)}`;
  const { nameservers, search } = resolverIn(long);
  expect(nameservers.length).toBeLessThanOrEqual(32);
  expect(search.length).toBeLessThanOrEqual(32);
  expect(search).not.toContain('x'.repeat(300));
});

test('only a regular file is read, and no link is followed', () => {
  const proc = new Proc(root);
  const etc = (pid: number) => join(root, String(pid), 'root', 'etc');
  mkdirSync(etc(1), { recursive: true });
  writeFileSync(join(etc(1), 'resolv.conf'), 'nameserver 10.0.0.1\n');
  expect(resolverOf(proc, 1)?.nameservers).toEqual(['10.0.0.1']);
  mkdirSync(etc(2), { recursive: true });
  symlinkSync(join(etc(1), 'resolv.conf'), join(etc(2), 'resolv.conf'));
  expect(resolverOf(proc, 2)).toBeUndefined();
  mkdirSync(join(root, '3', 'root'), { recursive: true });
  symlinkSync(etc(1), etc(3));
  expect(resolverOf(proc, 3)).toBeUndefined();
  mkdirSync(join(etc(4), 'resolv.conf'), { recursive: true });
  expect(resolverOf(proc, 4)).toBeUndefined();
  expect(resolverOf(proc, 5)).toBeUndefined();
});

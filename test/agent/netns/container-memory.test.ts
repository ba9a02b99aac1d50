import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MEMORY_RESERVE } from '../../../src/agent/limits.ts';
import { ContainerMemory } from '../../../src/agent/netns/container-memory.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ksnoop-cgroup-'));
  mkdirSync(join(root, 'memory'));
});
afterEach(() => rmSync(root, { recursive: true }));

const write = (file: string, text: string) => writeFileSync(join(root, file), `${text}\n`);
const memory = () => new ContainerMemory(root);

test('version 2: the limit, less what is taken and cannot be dropped', () => {
  write('memory.max', '536870912');
  write('memory.current', '400000000');
  write('memory.stat', 'anon 300000000\nactive_file 1000000\ninactive_file 90000000');
  expect(memory().free()).toBe(536_870_912 - 400_000_000 + 90_000_000);
});

test('version 1: of the container with all below it', () => {
  write('memory/memory.limit_in_bytes', '536870912');
  write('memory/memory.usage_in_bytes', '400000000');
  write('memory/memory.stat', 'inactive_file 5\ntotal_inactive_file 90000000');
  expect(memory().free()).toBe(536_870_912 - 400_000_000 + 90_000_000);
});

test('without a limit, and where nothing can be read, everything is granted', () => {
  expect(memory().has(2 ** 40)).toBe(true);
  write('memory.max', 'max');
  write('memory.current', '400000000');
  expect(memory().free()).toBeUndefined();
  write('memory/memory.limit_in_bytes', '9223372036854771712');
  write('memory/memory.usage_in_bytes', '400000000');
  expect(memory().free()).toBeUndefined();
});

test('the reserve stays, also when more than the limit is taken', () => {
  write('memory.max', String(MEMORY_RESERVE + 1_000));
  write('memory.current', '0');
  expect(memory().has(1_000)).toBe(true);
  expect(memory().has(1_001)).toBe(false);
  write('memory.current', String(MEMORY_RESERVE + 2_000));
  expect(memory().has(0)).toBe(false);
});

test.each([
  ['2', 'memory.events', 'low 0\noom 4\noom_kill 3\noom_group_kill 1'],
  ['1', 'memory/memory.oom_control', 'oom_kill_disable 0\nunder_oom 0\noom_kill 3'],
])('version %s: the kernel counts what it has killed', (_, file, text) => {
  expect(memory().kills()).toBeUndefined();
  write(file, text);
  expect(memory().kills()).toBe(3);
});

#!/usr/bin/env node
import { requireNode } from './node-version.mjs';

requireNode('ksnoop-controller');
try {
  await import('../dist/ksnoop-controller.mjs');
} catch (thrown) {
  const { explain } = await import('./not-built.mjs');
  explain('ksnoop-controller', 'ksnoop-controller.mjs', thrown);
}

#!/usr/bin/env node
import { requireNode } from './node-version.mjs';

requireNode('ksnoop');
const { useCompileCache } = await import('./compile-cache.mjs');
useCompileCache();
try {
  await import('../dist/ksnoop.mjs');
} catch (thrown) {
  const { explain } = await import('./not-built.mjs');
  explain('ksnoop', thrown);
}

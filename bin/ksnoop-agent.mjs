#!/usr/bin/env node
import { requireNode } from './node-version.mjs';

requireNode('ksnoop-agent');
try {
  await import('../dist/ksnoop-agent.mjs');
} catch (thrown) {
  const { explain } = await import('./not-built.mjs');
  explain('ksnoop-agent', 'ksnoop-agent.mjs', thrown);
}

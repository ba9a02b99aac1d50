#!/usr/bin/env node
import { requireNode } from './node-version.mjs';

requireNode('ksnoop');
const { runProgram } = await import('./script-cache.mjs');
try {
  runProgram(process.getBuiltinModule('node:path').join(import.meta.dirname, '../dist/ksnoop.script.js'));
} catch (thrown) {
  const { explain } = await import('./not-built.mjs');
  explain('ksnoop', 'ksnoop.script.js', thrown);
}

#!/usr/bin/env node
// kubectl asks this for what `kubectl ksnoop …` may become (kubectl plugin completion).
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

process.argv.splice(
  1,
  process.argv.length - 1,
  join(dirname(fileURLToPath(import.meta.url)), 'ksnoop.mjs'),
  '__complete',
  '--',
  ...process.argv.slice(2),
);
await import('./ksnoop.mjs');

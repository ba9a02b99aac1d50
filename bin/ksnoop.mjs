#!/usr/bin/env node
import { requireNode } from './node-version.mjs';

requireNode('ksnoop');
const { useCompileCache } = await import('./compile-cache.mjs');
useCompileCache();
await import('../dist/ksnoop.mjs');

#!/usr/bin/env node
import module from 'node:module';
import { requireNode } from './node-version.mjs';

requireNode('ksnoop');
// Half of the start is compiling; from the second time on Node finds it done.
module.enableCompileCache?.();
await import('../dist/ksnoop.mjs');

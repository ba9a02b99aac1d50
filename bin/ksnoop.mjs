#!/usr/bin/env node
import { requireNode } from './node-version.mjs';

requireNode('ksnoop');
await import('../dist/ksnoop.mjs');

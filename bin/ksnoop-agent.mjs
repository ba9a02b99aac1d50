#!/usr/bin/env node
import { requireNode } from './node-version.mjs';

requireNode('ksnoop-agent');
await import('../dist/ksnoop-agent.mjs');

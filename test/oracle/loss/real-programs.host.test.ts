import { vi } from 'vitest';
import { testRealPrograms } from './real-programs-tests.ts';

// A server that makes its files, and retransmissions, take their time on a busy machine.
vi.setConfig({ testTimeout: 300_000 });

testRealPrograms(120, 40);

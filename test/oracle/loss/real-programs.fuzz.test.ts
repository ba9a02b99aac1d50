import { testRealPrograms } from './real-programs-tests.ts';

// Statuses below 600 tell 150 answers apart.
testRealPrograms(140, 1_000, Number(process.env.KSNOOP_LOSS_SEED ?? 1));

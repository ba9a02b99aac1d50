import { testRealPrograms } from './real-programs-tests.ts';

// Statuses below 600 tell 150 answers apart.
testRealPrograms(140, 1_000);

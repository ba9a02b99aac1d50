import { testRealPrograms } from './real-programs-tests.ts';

testRealPrograms(120, 40);

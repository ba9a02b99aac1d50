/**
 * A process that runs test files, one request after another, in the copy that is its current directory: vitest starts once.
 * Started by runners.ts with an IPC channel.
 */
import { join } from 'node:path';
import process from 'node:process';
import { createVitest } from 'vitest/node';
import type { Switches } from './setup.ts';

export interface Request {
  readonly switches: Switches;
  /** A test file, relative to the copy. */
  readonly test: string;
}

export interface Answer {
  readonly passed: boolean;
  /** Milliseconds that the file took, its imports included. */
  readonly took: number;
}

const vitest = await createVitest('test', {
  root: process.cwd(),
  config: join(import.meta.dirname, 'unit.config.ts'),
  watch: false,
  maxWorkers: 1,
  reporters: [{}],
});
const project = vitest.getRootProject();

process.on('message', (request: Request) => {
  void answer(request).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  });
});
process.once('disconnect', () => process.exit(0));

async function answer({ switches, test }: Request): Promise<void> {
  project.provide('ksnoopMutate', switches);
  const begun = performance.now();
  const specification = project.createSpecification(join(process.cwd(), test));
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications([specification]);
  // Modules of earlier requests are among them.
  const own = testModules.filter(({ moduleId }) => moduleId === specification.moduleId);
  const passed = own.length > 0 && own.every((module) => module.ok()) && unhandledErrors.length === 0;
  process.send?.({ passed, took: performance.now() - begun } satisfies Answer);
}

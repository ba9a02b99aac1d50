import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import type { Answer, Request } from './runner.ts';

/** Runs one test file. @returns undefined when it took more than `milliseconds`, and its process was ended */
export type RunTest = (request: Request, milliseconds: number) => Promise<Answer | undefined>;

/** Processes that run; each is the leader of a group with its workers. */
const alive = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of alive) end(child);
});

/** Does `work` for each item, with `count` processes that run tests in `copy`. The order is that of the items, nearly. */
export async function withRunners<T>(
  copy: string,
  count: number,
  items: Iterable<T>,
  work: (item: T, run: RunTest) => Promise<void>,
): Promise<void> {
  const left = items[Symbol.iterator]();
  const worker = async () => {
    let child: ChildProcess | undefined;
    const run: RunTest = async (request, milliseconds) => {
      child ??= start(copy);
      const answer = await ask(child, request, milliseconds);
      if (answer === undefined) {
        end(child);
        child = undefined;
      }
      return answer;
    };
    for (let next = left.next(); !next.done; next = left.next()) await work(next.value, run);
    if (child !== undefined) end(child);
  };
  await Promise.all(Array.from({ length: count }, worker));
}

function start(copy: string): ChildProcess {
  const child = fork(join(import.meta.dirname, 'runner.ts'), {
    cwd: copy,
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  alive.add(child);
  return child;
}

function end(child: ChildProcess): void {
  alive.delete(child);
  try {
    // Its workers too.
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

function ask(child: ChildProcess, request: Request, milliseconds: number): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const done = (answer: Answer | undefined) => {
      clearTimeout(timer);
      child.off('message', done).off('exit', ended);
      resolve(answer);
    };
    const ended = () => done(undefined);
    const timer = setTimeout(ended, milliseconds);
    child.once('message', done).once('exit', ended);
    child.send(request);
  });
}

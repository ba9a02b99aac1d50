import { ClusterError } from './cluster-error.ts';
import type { Layout } from './layout.ts';
import { isAlive, logEnd, logOf, type Part, recorded, start } from './processes.ts';
import { pause } from './run.ts';

/** How long a part may take to do its work after its start, in milliseconds. Usually a few hundred; it only bounds a hang. */
const PATIENCE = 180_000;
const POLL = 50;

/** Starts a part unless it runs, and waits until `ready` says it works. A part that ends meanwhile is an error with its log. */
export async function ensurePart(
  layout: Layout,
  part: Part,
  ready: () => Promise<boolean> = async () => true,
): Promise<void> {
  const pid = recorded(layout, part.name)?.pid ?? start(layout, part);
  const until = Date.now() + PATIENCE;
  for (;;) {
    await pause(POLL);
    if (!isAlive(pid)) throw failed(layout, part.name, 'ended');
    if (recorded(layout, part.name)?.pid === pid && (await ready())) return;
    if (Date.now() > until) throw failed(layout, part.name, `was not ready after ${PATIENCE / 1000} s`);
  }
}

/** The error for a part that does not work: its name and the end of its log. */
export function failed(layout: Layout, part: string, what: string): ClusterError {
  return new ClusterError(`${part} ${what}. The end of ${logOf(layout, part)}:\n${logEnd(layout, part)}`, {
    hint: '`npm run cluster -- down` removes what was started; `up` again goes on from here.',
  });
}

/** Polls until something holds; `dead` may throw to say why it never will. */
export async function waitFor(
  what: string,
  holds: () => Promise<boolean>,
  dead: () => void = () => undefined,
): Promise<void> {
  const until = Date.now() + PATIENCE;
  while (!(await holds())) {
    dead();
    if (Date.now() > until) {
      throw new ClusterError(`${what} did not come within ${PATIENCE / 1000} s.`, {
        hint: '`npm run cluster -- status` shows the parts and where their logs are.',
      });
    }
    await pause(POLL * 2);
  }
}

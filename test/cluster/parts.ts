import { KsnoopError } from '../../src/wire/errors.ts';
import type { Layout } from './layout.ts';
import { logEnd, logOf, type Part, recorded, start } from './processes.ts';
import { pause } from './run.ts';

/** How long a part may take to do its work after its start, in milliseconds. Usually a few hundred; a busy machine takes longer. */
const PATIENCE = 60_000;
const POLL = 50;

/** Starts a part unless it runs, and waits until `ready` says it works. A part that ends meanwhile is an error with its log. */
export async function ensurePart(
  layout: Layout,
  part: Part,
  ready: () => Promise<boolean> = async () => true,
): Promise<void> {
  if (recorded(layout, part.name) === undefined) start(layout, part);
  const until = Date.now() + PATIENCE;
  for (let first = true; ; first = false) {
    // The recording shell needs a moment before there is a record.
    await pause(first ? POLL * 2 : POLL);
    const alive = recorded(layout, part.name) !== undefined;
    if (alive && (await ready())) return;
    if (!alive && Date.now() > until - PATIENCE + POLL * 4) throw failed(layout, part.name, 'ended');
    if (Date.now() > until) throw failed(layout, part.name, `was not ready after ${PATIENCE / 1000} s`);
  }
}

/** The error for a part that does not work: its name and the end of its log. */
export function failed(layout: Layout, part: string, what: string): KsnoopError {
  return new KsnoopError(
    'cluster-part',
    `${part} ${what}. The end of ${logOf(layout, part)}:\n${logEnd(layout, part)}`,
    {
      hint: '`npm run cluster -- down` removes what was started; `up` again goes on from here.',
    },
  );
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
      throw new KsnoopError('cluster-wait', `${what} did not come within ${PATIENCE / 1000} s.`, {
        hint: '`npm run cluster -- status` shows the parts and where their logs are.',
      });
    }
    await pause(POLL * 2);
  }
}

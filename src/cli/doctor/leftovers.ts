import { FINDERS } from '../cleanup/index.ts';
import { type Check, findings } from './check.ts';

const say = findings('leftovers');

/** What captures left behind: all that `ksnoop cleanup` would remove. */
export const leftovers: Check = {
  name: 'leftovers',
  async look(grounds) {
    const found = (await Promise.all(FINDERS.map(({ find }) => find(grounds)))).flat();
    if (found.length === 0) return [say.ok('nothing was left behind')];
    return found.map(({ what, why }) => say.warning(`${what}: ${why}`, 'ksnoop cleanup'));
  },
};

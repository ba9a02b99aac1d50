import { FINDERS } from '../cleanup/index.ts';
import { type Check, findings } from './check.ts';

const finding = findings('leftovers');

/** What captures left behind: all that `ksnoop cleanup` would remove. */
export const leftovers: Check = {
  name: 'leftovers',
  async look(grounds) {
    const found = (await Promise.all(FINDERS.map(({ find }) => find(grounds)))).flat();
    if (found.length === 0) return [finding.ok('nothing was left behind')];
    return found.map(({ what, why }) => finding.warning(`${what}: ${why}`, 'ksnoop cleanup'));
  },
};

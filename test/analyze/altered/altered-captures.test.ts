import { join } from 'node:path';
import { expect, test } from 'vitest';
import { statedCaptures, wholeCaptures } from './captures.ts';
import { counted, digest, type Stated } from './statements.ts';

/**
 * What is stated of whole captures with packets altered is as in test/golden/altered-captures: of several connections, places,
 * tunnels and proxies together, in each form. A line has what was found, counted, then a digest of each form's lines.
 * `node test/analyze/altered/show.ts http1 3` prints them. When a change is meant: `vitest run -u --project unit` and this file.
 */
const GOLDEN = join(import.meta.dirname, '../../golden/altered-captures');

test.each([...wholeCaptures()])('states of altered captures of %s what test/golden has', async (name, path) => {
  const lines = (await statedCaptures(path)).map((capture) => {
    const forms = Map.groupBy(capture.stated, ({ form }) => form);
    const digests = [...forms].map(([form, stated]) => `${form} ${stated.length} ${digest(stated)}`);
    return `${capture.name} ${counted(forms.get('json') ?? ([] as Stated[]))} | ${digests.join(', ')}`;
  });
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(join(GOLDEN, `${name}.txt`));
});

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { recorded, stateOf } from './recorded.ts';
import { counted, digest } from './statements.ts';

/**
 * What is stated of altered connections of each capture of a protocol is as in test/golden/altered: of packets with a byte
 * changed, cut, lost, swapped, captured at two places, of messages that are longer or shorter. It shows any change of these
 * statements; whether they are right, test/oracle judges of many. A line has what was found, counted, then a digest of its
 * records and one of its connections' records. `node test/analyze/altered/show.ts mysql 2.17` prints them, and how that
 * connection was altered. When a change is meant: `vitest run -u --project unit` and this file.
 */
const GOLDEN = join(import.meta.dirname, '../../golden/altered');
/** Characters of a record of all connections together that are shown. */
const SHOWN = 120;

test.each([...recorded()])('states of altered connections of %s what test/golden has', async (name, path) => {
  const { variants, rest } = await stateOf(path);
  const each = variants.map((variant) => {
    const [events, flows] = ['json', 'flows'].map((form) => variant.stated.filter((stated) => stated.form === form));
    return [variant.name, counted(events ?? []), digest(events ?? []), digest(flows ?? [])].join(' ');
  });
  const together = rest.map((stated) => `${stated.form} ${digest([stated])} ${stated.line.slice(0, SHOWN)}`);
  await expect(`${[...each, ...together].join('\n')}\n`).toMatchFileSnapshot(join(GOLDEN, `${name}.txt`));
});

import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { linesOfForm, type RecordedForm } from '../../support/recorded-forms.ts';

/**
 * What these forms print of the captures of the engine, the flow table, the layers and the tracer is as in test/golden/forms.
 * A change shows in the diff of a commit; when it is meant: `vitest run -u --project unit` and this file.
 */
const TESTS = join(import.meta.dirname, '../..');
const CAPTURES = globSync('analyze/{engine,flow,layers,trace}/captures/**/*.{pcap,pcapng}', { cwd: TESTS }).sort();

/** Those that say most in few lines. */
const FORMS: readonly RecordedForm[] = [
  ['text', 'text'],
  ['flows', 'text'],
  ['summary', 'json'],
  ['findings', 'text'],
  ['findings', 'json'],
  ['trace', 'text'],
  ['map', 'json'],
];

test.each(CAPTURES)('the outputs of %s are as in test/golden/forms', async (path) => {
  const bytes = readFileSync(join(TESTS, path));
  const forms: readonly RecordedForm[] = path.includes('/layers/') ? [...FORMS, ['packets', 'text']] : FORMS;
  const lines: string[] = [];
  for (const form of forms) lines.push(`# ${form.join(' as ')}`, ...(await linesOfForm(form, bytes)));
  const golden = join(TESTS, 'golden/forms', `${basename(path).split('.')[0]}.txt`);
  await expect(`${lines.map((line) => line.trimEnd()).join('\n')}\n`).toMatchFileSnapshot(golden);
});

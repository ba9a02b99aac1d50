import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AnalysisSession } from '../../../src/analyze/engine/session.ts';
import { analysisOutput } from '../../../src/run/analysis/index.ts';
import { analysisNotes } from '../../../src/run/analysis/notes.ts';
import { plainSettings } from '../../support/analysis-session.ts';

/**
 * The outputs of whole captures, in test/golden: what changes in them shows in the diff of a commit. When a change is
 * meant: `vitest run -u --project unit test/run/analysis/golden`.
 */
const GOLDEN = join(import.meta.dirname, '../../golden');

interface Form {
  readonly name: string;
  readonly width?: number;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

const TEXT: Form = { name: 'text' };
const SUMMARY: readonly Form[] = [{ name: 'summary' }, { name: 'summary', width: 80 }];

test.each([
  // A client in a cluster that gets no answer from a Service; DNS, ARP and neighbour discovery.
  [
    'syn-unanswered.pcapng',
    [
      TEXT,
      { name: 'text', verbose: true },
      { name: 'json' },
      ...SUMMARY,
      { name: 'summary', json: true },
      { name: 'flows' },
      { name: 'packets' },
    ],
  ],
  // Requests over a Service to pods that call another Service, many of them failing.
  ['wrong-service.pcapng', [TEXT, ...SUMMARY, { name: 'flows' }]],
  // Packets of responses are missing.
  ['loss-response-http1-fast.pcap', [TEXT, { name: 'json' }, ...SUMMARY]],
] as const)('the outputs of %s', async (file, forms: readonly Form[]) => {
  for (const form of forms) {
    const { name, width, json = false, verbose = false } = form;
    const kind = await analysisOutput(name)?.load();
    if (kind === undefined) throw new Error(`there is no output ${name}`);
    const lines: string[] = [];
    const session = new AnalysisSession(
      kind,
      plainSettings({
        line: (line) => void lines.push(line),
        align: width !== undefined,
        width,
        json,
        utc: true,
        verbose,
      }),
    );
    session.push(readFileSync(join(import.meta.dirname, 'captures', file)));
    session.end();
    const suffix = [name, width, json ? 'json' : undefined, verbose ? 'v' : undefined].filter(
      (part) => part !== undefined,
    );
    const notes = analysisNotes(session).map((note) => `# ${note}`);
    await expect(`${[...lines, ...notes].join('\n')}\n`).toMatchFileSnapshot(
      join(GOLDEN, `${file.split('.')[0]}.${suffix.join('-')}.txt`),
    );
  }
});

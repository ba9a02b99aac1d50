import type { Finding } from '../../analyze/findings/finding.ts';
import { shellWord } from '../http/curl.ts';
import { clockText } from '../time-text.ts';
import { counted } from '../units.ts';
import { type Html, html } from './html.ts';

const WORDS: Readonly<Record<Finding['severity'], string>> = {
  error: 'ERROR',
  warning: 'WARNING',
  information: 'INFO',
};
const CLASSES: Readonly<Record<Finding['severity'], string>> = { error: 'bad', warning: 'warn', information: 'dim' };

interface FindingsStyle {
  readonly utc: boolean;
  /** RFC 3339 of ns since the first packet. */
  timeText(time: number): string;
  /** The command that reads the packets: `ksnoop read FILE`. */
  readonly read: string;
  /** A next step with the names of files in its commands. */
  nextOf(next: string): string;
}

/** Findings of the packets: a sentence each, with its evidence that opens. */
export function findingsSection(findings: readonly Finding[], { utc, timeText, read, nextOf }: FindingsStyle): Html {
  const clock = (time: number) => clockText(timeText(time), utc);
  return html`
<section aria-labelledby="h-findings"><h2 id="h-findings">Findings</h2>
${findings.length === 0 ? html`<p>Nothing found.</p>` : html`<p>${counted(findings.length, 'finding')}${findings.length === 1 ? '' : ', the worst first'}.</p>`}
${findings.map((finding, index) => findingHtml(finding, { isOpen: index === 0, clock, read, nextOf }))}
</section>`;
}

interface Shown {
  readonly isOpen: boolean;
  clock(time: number): string;
  readonly read: string;
  nextOf(next: string): string;
}

function findingHtml(finding: Finding, { isOpen, clock, read, nextOf }: Shown): Html {
  const { severity, confidence, code, message, evidence, next, otherwise } = finding;
  const sure = confidence === 'proven' ? '' : ` (${confidence})`;
  return html`<details class="finding ${severity}" ${isOpen ? html`open` : undefined}>
<summary><strong class="${CLASSES[severity]}">${WORDS[severity]}${sure}</strong> ${message} <code class="dim">${code}</code></summary>
<ul>${evidence.map(({ text, flows, times, where, filter }) => {
    const [from, to] = times ?? [];
    const when =
      from === undefined || to === undefined
        ? ''
        : from === to
          ? ` at ${clock(from)}`
          : ` from ${clock(from)} to ${clock(to)}`;
    const which = flows.length === 0 ? '' : `, ${flows.length === 1 ? 'flow' : 'flows'} ${flows.join(', ')}`;
    const show = where === undefined ? undefined : html`<pre>${read} --where ${shellWord(where)}</pre>`;
    const packets = filter === undefined ? undefined : html`<pre>${read} -f ${shellWord(filter)} -o packets</pre>`;
    return html`<li>Seen: ${text}${when}${which}${show}${packets}</li>`;
  })}</ul>
<p><strong>Next:</strong> ${nextOf(next)}</p>
${otherwise === undefined ? undefined : html`<p><strong>Or:</strong> ${otherwise}</p>`}
</details>`;
}

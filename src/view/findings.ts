import type { Colours } from './colour.ts';
import { sanitise } from './sanitise.ts';

/** What `ksnoop doctor` found, as far as people read it. */
export interface FindingView {
  readonly check: string;
  readonly state: 'ok' | 'warning' | 'problem' | 'skipped';
  readonly message: string;
  readonly fix: string;
}

const MARKS = { ok: 'ok', warning: 'warning', problem: 'PROBLEM', skipped: '-' } as const;

/** A line for each finding, below it what fixes it, and at the end how many there are of what matters. */
export function findingLines(findings: readonly FindingView[], colours: Colours): string[] {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const markWidth = Math.max(...Object.values(MARKS).map((mark) => mark.length));
  const margin = ' '.repeat(width + markWidth + 4);
  const lines = findings.flatMap(({ check, state, message, fix }) => {
    const mark = MARKS[state].padEnd(markWidth);
    const painted =
      state === 'problem' ? colours.failure(mark) : state === 'ok' ? colours.aside(mark) : colours.heading(mark);
    const line = `${check.padEnd(width)}  ${painted}  ${sanitise(message)}`;
    return fix === '' ? [line] : [line, `${margin}${colours.heading('→')} ${sanitise(fix)}`];
  });
  const count = (wanted: FindingView['state']) => findings.filter(({ state }) => state === wanted).length;
  const [problems, warnings] = [count('problem'), count('warning')];
  const last =
    problems + warnings === 0 ? 'no problems found' : `${plural(problems, 'problem')}, ${plural(warnings, 'warning')}`;
  return [...lines, '', last];
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

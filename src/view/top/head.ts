import { shortSampleText } from '../sample-text.ts';
import { sanitise } from '../sanitise.ts';
import { cellWidth, cutToCells } from '../text-width.ts';
import { clockText } from '../time-text.ts';
import { counted, grouped } from '../units.ts';
import { type Line, LOOK, line, type Span, span } from './line.ts';
import type { HeadState } from './model.ts';

/** Cells that the name of what is looked at should have. */
const NAME_ROOM = 16;

/** The top line: the targets or file, how much was captured, and whether the capture continues. */
export function headLine(source: string, head: HeadState, width: number): Line {
  const state = stateText(head);
  const time = head.time === undefined ? 'no packets yet' : clockText(head.time).slice(0, 8);
  const counts = `${counted(head.packets, 'packet')}, ${counted(head.exchanges, 'exchange')}`;
  const sample = head.sample === undefined ? undefined : shortSampleText({ share: head.sample });
  const troubles = [head.trouble, sample].filter((text) => text !== undefined);
  const trouble = troubles.length === 0 ? '' : ` ${troubles.join(', ')} `;
  const all = [state, time, counts].filter((text) => text !== '').join(' · ');
  // On a narrow screen the counts go first, then the name.
  const right = cellWidth(all) + cellWidth(trouble) + NAME_ROOM <= width ? all : state;
  const room = Math.max(0, width - cellWidth(right) - cellWidth(trouble) - 2);
  const left = cutToCells(sanitise(`ksnoop ${source}`), room);
  const filling = width - cellWidth(left) - cellWidth(right) - cellWidth(trouble) - 1;
  return line(span(left), span(' '.repeat(Math.max(1, filling))), span(trouble, LOOK.alarm), span(` ${right}`));
}

function stateText({ live, paused, reading, replaying, position }: HeadState): string {
  if (paused !== undefined) {
    const unlisted = paused.unlisted === 0 ? '' : `, ${grouped(paused.unlisted)} not listed`;
    return `PAUSED (${grouped(paused.exchanges)} new${unlisted})`;
  }
  if (reading !== undefined) return `reading ${Math.floor(reading * 100)} %`;
  if (live) return 'live';
  if (replaying) return `replaying, at ${Math.floor((position ?? 0) * 100)} %`;
  return position === undefined ? '' : position >= 1 ? 'at the end' : `at ${Math.floor(position * 100)} %`;
}

/** What the line of the tabs shows. */
interface TabState {
  /** The views, in their order, and the one that is visible. */
  readonly names: readonly string[];
  readonly current: string;
  /** The expression in use; undefined without one. */
  readonly filter: string | undefined;
  /** The position of the view in its rows; undefined without one. */
  readonly status: string | undefined;
  /** Columns of the terminal. */
  readonly width: number;
}

/** The tabs, and at their right the expression in use and the view's position in its rows. */
export function tabLine({ names, current, filter, status, width }: TabState): Line {
  const tabs: Span[] = [];
  let used = 0;
  const short = width < 80;
  for (const [index, name] of names.entries()) {
    const text = ` ${index + 1} ${short && name !== current ? name.slice(0, 4) : name} `;
    tabs.push(span(text, name === current ? LOOK.bar : LOOK.aside));
    used += text.length;
  }
  const room = width - used - 1;
  const expression = filter === undefined ? '' : `/${filter}`;
  const parts = [expression, status ?? ''].filter((text) => text !== '').join('  ');
  const shown = cutToCells(sanitise(parts), room);
  return line(...tabs, span(' '.repeat(Math.max(0, width - used - cellWidth(shown)))), span(shown, LOOK.warning));
}

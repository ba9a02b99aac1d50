import { wrapped } from '../help-text.ts';
import { type Line, LOOK, line, span } from './line.ts';
import type { ViewKind } from './view.ts';

/** Keys of all views, for `?` and the manual. */
export const TOP_KEYS: readonly (readonly [key: string, does: string])[] = [
  ['Tab ← → 1-9', 'switch views'],
  ['↑ ↓ j k', 'up and down'],
  ['PgUp PgDn', 'a page; g G to the first and the last'],
  ['Enter Esc', 'open the row under the cursor, and back'],
  ['/', 'show only what matches an expression, as --where; empty shows all'],
  ['s S', 'sort by the next, or the previous column'],
  ['p', 'pause the screen; the capture continues'],
  ['w', 'write the last packets to a pcapng file'],
  ['r', 'write a report of them, an HTML page'],
  ['< >', 'go back and forth in a file'],
  ['Space', 'replay a file from there at its own speed'],
  ['Ctrl-L', 'redraw the screen'],
  ['?', 'this page'],
  ['q Ctrl-C', 'quit'],
];

/** Cells of a key before what it does. */
const KEY_WIDTH = 14;

/** The lines that `?` shows, none of them wider than the screen. @param width cells */
export function helpLines(views: readonly ViewKind[], width: number): readonly Line[] {
  const pair = ([key, does]: readonly [string, string]): Line[] =>
    wrapped(does, Math.max(10, width - KEY_WIDTH)).map((text, index) =>
      line(span((index === 0 ? `  ${key}` : '').padEnd(KEY_WIDTH), LOOK.strong), span(text)),
    );
  return [
    line(span('Keys', LOOK.name)),
    ...TOP_KEYS.flatMap(pair),
    line(span('')),
    line(span('Views', LOOK.name)),
    ...views.flatMap(({ name, about, keys }) => [
      ...pair([name, about]),
      ...keys.flatMap(([key, does]) => pair([`  ${key}`, does])),
    ]),
  ];
}

import { wrapped } from '../help-text.ts';
import { type Line, LOOK, line, span } from './line.ts';
import type { ViewKind } from './view.ts';

/** Keys of all views, as `?` and the manual say them. */
export const TOP_KEYS: readonly (readonly [key: string, does: string])[] = [
  ['Tab ← → 1-9', 'another view'],
  ['↑ ↓ j k', 'up and down'],
  ['PgUp PgDn', 'a page; g G to the first and the last'],
  ['Enter Esc', 'open what the cursor is on, and back'],
  ['/', 'show only what matches an expression, as --where; empty: everything'],
  ['s S', 'sort by the next, or the previous column'],
  ['p', 'pause the screen: packets go on to be taken'],
  ['w', 'write the last packets to a pcapng file'],
  ['< >', 'go back and forth in a file'],
  ['r', 'replay a file from there as fast as it was captured'],
  ['Ctrl-L', 'draw everything anew'],
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

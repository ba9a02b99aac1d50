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

/** What `?` shows, from line `from` on. */
export function helpLines(views: readonly ViewKind[], from: number, height: number): readonly Line[] {
  const pair = ([key, does]: readonly [string, string]) => line(span(`  ${key.padEnd(12)}`, LOOK.strong), span(does));
  const lines = [
    line(span('Keys', LOOK.name)),
    ...TOP_KEYS.map(pair),
    line(span('')),
    line(span('Views', LOOK.name)),
    ...views.flatMap(({ name, about, keys }) => [
      pair([name, about]),
      ...keys.map(([key, does]) => pair([`  ${key}`, does])),
    ]),
  ];
  const start = Math.max(0, Math.min(from, lines.length - height));
  return lines.slice(start, start + height);
}

import { Frame } from '../../src/view/top/frame.ts';
import type { View } from '../../src/view/top/view.ts';

/** What a terminal with so many cells would show of a view: rows without the spaces at their ends. */
export function screenOf(view: View, width = 120, height = 40): string[] {
  const lines = view.lines(width, height);
  const frame = new Frame(width, lines.length, true);
  for (const [row, line] of lines.entries()) frame.draw(row, line);
  return lines.map((_, row) =>
    frame.cells
      .slice(row * width, (row + 1) * width)
      .join('')
      .trimEnd(),
  );
}

/** Press keys one after another. @param names as Key has them */
export function press(view: View, ...names: readonly string[]): void {
  for (const name of names) view.key({ name, text: undefined });
}

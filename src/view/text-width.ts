import { eastAsianWidth } from 'get-east-asian-width';

/** Combining marks and variation selectors stand in the cell of what they follow. */
const NO_CELL = /^[\p{Mn}\p{Me}]$/u;

/** Cells of a terminal that a character takes: 0, 1 or 2 (Unicode Standard Annex #11). @param character one code point, sanitised */
export function cellsOf(character: string): 0 | 1 | 2 {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  if (NO_CELL.test(character)) return 0;
  return eastAsianWidth(code);
}

/** No text of these has a character of another width than one cell. */
const SINGLE_CELLS = /^[\u{20}-\u{2ff}]*$/u;

/** Cells of a terminal that a text takes. @param text sanitised */
export function cellWidth(text: string): number {
  if (SINGLE_CELLS.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += cellsOf(character);
  return width;
}

/** A text cut to so many cells, the last one `…` where something was left out. @param text sanitised */
export function cutToCells(text: string, maximum: number): string {
  if (maximum <= 0) return '';
  // A unit of UTF-16 takes two cells at most.
  if (text.length * 2 <= maximum || cellWidth(text) <= maximum) return text;
  let kept = '';
  let width = 0;
  for (const character of text) {
    width += cellsOf(character);
    if (width > maximum - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

/**
 * A text cut to so many cells in its middle, `…` where something was left out: beginning and end are kept.
 * @param text sanitised
 * @param tail cells of the end that are kept; half of them unless given
 */
export function cutMiddle(text: string, maximum: number, tail = (maximum - 1) >> 1): string {
  if (maximum <= 0) return '';
  if (cellWidth(text) <= maximum) return text;
  const characters = [...text];
  let end = '';
  let taken = 0;
  // A mark without cells stays with the character before it, so it is kept only together with that.
  let marks = '';
  for (let at = characters.length - 1; at >= 0; at -= 1) {
    const character = characters[at] ?? '';
    const cells = cellsOf(character);
    if (taken + cells > tail) break;
    marks = character + marks;
    if (cells === 0) continue;
    end = marks + end;
    marks = '';
    taken += cells;
  }
  let head = '';
  let room = maximum - 1 - taken;
  for (const character of characters) {
    room -= cellsOf(character);
    if (room < 0) break;
    head += character;
  }
  return `${head}…${end}`;
}

/** A text filled with spaces to so many cells. @param painted the same text with colours, which take no room */
export function padEnd(text: string, width: number, painted = text): string {
  return painted + ' '.repeat(Math.max(0, width - cellWidth(text)));
}

/** A text in lines of so many cells, cut anywhere: at least one line. @param text sanitised */
export function inLinesOfCells(text: string, width: number): string[] {
  const lines: string[] = [];
  let kept = '';
  let taken = 0;
  for (const character of text) {
    const cells = cellsOf(character);
    if (taken + cells > width && kept !== '') {
      lines.push(kept);
      kept = '';
      taken = 0;
    }
    kept += character;
    taken += cells;
  }
  return [...lines, kept];
}

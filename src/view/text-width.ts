/** A text cut to so many characters, the last one `…` where something was left out. Whole code points stay whole. */
export function cut(text: string, maximum: number): string {
  if (text.length <= maximum) return text;
  const end = maximum - 1;
  const last = text.charCodeAt(end - 1);
  return `${text.slice(0, last >= 0xd800 && last <= 0xdbff ? end - 1 : end)}…`;
}

/** A text filled with spaces to so many characters. @param painted the same text with colours, which take no room */
export function padEnd(text: string, width: number, painted = text): string {
  return text.length >= width ? painted : painted + ' '.repeat(width - text.length);
}

/** Combining marks and variation selectors stand in the cell of what they follow. */
const NO_CELL = /^[\p{Mn}\p{Me}]$/u;
const EMOJI = /^\p{Emoji_Presentation}$/u;

/** First and last code points of two cells: East Asian Wide and Fullwidth (Unicode, EastAsianWidth.txt), blocks joined. */
const WIDE: readonly (readonly [first: number, last: number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97c],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6b],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18dff],
  [0x1aff0, 0x1b2ff],
  [0x1f200, 0x1f2ff],
  [0x20000, 0x3fffd],
];

/** Cells of a terminal that a character takes: 0, 1 or 2. @param character one code point, sanitised */
export function cellsOf(character: string): 0 | 1 | 2 {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  if (NO_CELL.test(character)) return 0;
  if (WIDE.some(([first, last]) => code >= first && code <= last)) return 2;
  return EMOJI.test(character) ? 2 : 1;
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
  if (cellWidth(text) <= maximum) return text;
  let kept = '';
  let width = 0;
  for (const character of text) {
    width += cellsOf(character);
    if (width > maximum - 1) break;
    kept += character;
  }
  return `${kept}…`;
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

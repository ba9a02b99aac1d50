import { type Line, LOOK, line, span } from './line.ts';
import type { LineSource } from './pane.ts';

/** Bytes in a row, where there is room, and where there is not. */
const ROW = 16;
const SHORT_ROW = 8;

/** Cells of a row of so many bytes: position, bytes in two groups, characters. */
const cellsOfRow = (count: number) => 8 + count * 4 + 2;

/** Bytes as rows of position, hex and ASCII, each made when it is seen. @param width cells @param maximum bytes shown */
export function hexDump(bytes: Uint8Array, width: number, maximum: number): LineSource[] {
  const perRow = width >= cellsOfRow(ROW) ? ROW : SHORT_ROW;
  const end = Math.min(bytes.length, maximum);
  const rows: LineSource[] = [];
  for (let at = 0; at < end; at += perRow) rows.push(() => hexRow(bytes, at, Math.min(at + perRow, end), perRow));
  return rows;
}

function hexRow(bytes: Uint8Array, from: number, to: number, perRow: number): Line {
  let hex = '';
  let characters = '';
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at] as number;
    hex += `${at - from === perRow / 2 ? ' ' : ''}${byte.toString(16).padStart(2, '0')} `;
    characters += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.';
  }
  const place = from.toString(16).padStart(4, '0');
  const gap = ' '.repeat(perRow * 3 + 2 - hex.length);
  return line(span(`  ${place}  `, LOOK.aside), span(`${hex}${gap}`), span(characters, LOOK.name));
}

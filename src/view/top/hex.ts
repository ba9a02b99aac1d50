import { type Line, LOOK, line, span } from './line.ts';
import type { LineSource } from './pane.ts';

/** Octets in a row, where there is room, and where there is not. */
const ROW = 16;
const SHORT_ROW = 8;

/** Cells of a row of so many octets: place, octets in two groups, characters. */
const cellsOfRow = (octets: number) => 8 + octets * 4 + 2;

/** Octets as rows of place, hex and ASCII, each made when it is seen. @param width cells @param maximum octets shown */
export function hexDump(bytes: Uint8Array, width: number, maximum: number): LineSource[] {
  const octets = width >= cellsOfRow(ROW) ? ROW : SHORT_ROW;
  const end = Math.min(bytes.length, maximum);
  const rows: LineSource[] = [];
  for (let at = 0; at < end; at += octets) rows.push(() => hexRow(bytes, at, Math.min(at + octets, end), octets));
  return rows;
}

function hexRow(bytes: Uint8Array, from: number, to: number, octets: number): Line {
  let hex = '';
  let characters = '';
  for (let at = from; at < to; at += 1) {
    const octet = bytes[at] as number;
    hex += `${at - from === octets / 2 ? ' ' : ''}${octet.toString(16).padStart(2, '0')} `;
    characters += octet >= 0x20 && octet < 0x7f ? String.fromCharCode(octet) : '.';
  }
  const place = from.toString(16).padStart(4, '0');
  const gap = ' '.repeat(octets * 3 + 2 - hex.length);
  return line(span(`  ${place}  `, LOOK.aside), span(`${hex}${gap}`), span(characters, LOOK.name));
}

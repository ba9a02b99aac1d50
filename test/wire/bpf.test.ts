import { expect, test } from 'vitest';
import { parseProgram } from '../../src/wire/bpf.ts';

/** IPv4 over Ethernet, protocol 0, in bytes. */
const PACKET = Uint8Array.of(0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 0, 0, 0, 0, 0, 64, 0);

/** Run instructions of `tcpdump -ddd`: code, jump if true, jump if false, value. */
const passes = (...lines: string[]) =>
  parseProgram([String(lines.length), ...lines].join('\n')).passes(PACKET, 0, PACKET.length, PACKET.length);

const LDH = '40 0 0';
const LDB = '48 0 0';
const RET = '6 0 0';

test('a value is loaded and compared', () => {
  expect(passes(`${LDH} 12`, '21 0 1 2048', `${RET} 1`, `${RET} 0`)).toBe(true);
  expect(passes(`${LDH} 12`, '21 0 1 2049', `${RET} 1`, `${RET} 0`)).toBe(false);
});

test('a value is kept in memory, each in its place', () => {
  const [LD, ST, LD_MEMORY] = ['0 0 0', '2 0 0', '96 0 0'];
  for (const place of [0, 1, 14, 15]) {
    const other = place === 0 ? 1 : 0;
    const kept = [`${LD} 5`, `${ST} ${place}`, `${LD} 7`, `${ST} ${other}`, `${LD} 0`, `${LD_MEMORY} ${place}`];
    expect(passes(...kept, '21 0 1 5', `${RET} 1`, `${RET} 0`)).toBe(true);
  }
});

test('a value of 0 is a value', () => {
  expect(passes(`${LDB} 23`, '21 0 1 0', `${RET} 1`, `${RET} 0`)).toBe(true);
});

test('what lies outside of the packet ends the program', () => {
  expect(passes(`${LDB} 23`, `${RET} 1`)).toBe(true);
  expect(passes(`${LDB} 24`, `${RET} 1`)).toBe(false);
  expect(passes(`${LDH} 23`, `${RET} 1`)).toBe(false);
});

test('a program without an answer lets nothing pass', () => {
  expect(passes(`${LDB} 0`)).toBe(false);
  expect(passes('5 0 0 100', `${RET} 1`)).toBe(false);
  expect(passes('5 0 0 1', `${RET} 0`, `${RET} 1`)).toBe(true);
});

test('what is no program is refused', () => {
  for (const text of ['', '1', '2\n6 0 0 1', '1\n6 0 0 x', 'tcpdump: syntax error']) {
    expect(() => parseProgram(text), text).toThrow(expect.objectContaining({ code: 'BAD_FILTER' }));
  }
});

/** Whether the accumulator is a value after these instructions. */
const leaves = (value: number, ...lines: string[]) => passes(...lines, `21 0 1 ${value}`, `${RET} 1`, `${RET} 0`);

const UINT32 = 2 ** 32;

test.each([
  ['+', 0x00, 7, 5, 12],
  ['+ past 32 bits', 0x00, UINT32 - 1, 2, 1],
  ['-', 0x10, 7, 5, 2],
  ['- below 0', 0x10, 5, 7, UINT32 - 2],
  ['*', 0x20, 7, 5, 35],
  ['* past 32 bits', 0x20, UINT32 - 1, 2, UINT32 - 2],
  ['/', 0x30, 17, 5, 3],
  ['/ of more than 31 bits', 0x30, UINT32 - 1, 2, 2 ** 31 - 1],
  ['|', 0x40, 5, 3, 7],
  ['| of 32 bits', 0x40, 2 ** 31, 1, 2 ** 31 + 1],
  ['&', 0x50, 6, 3, 2],
  ['& of 32 bits', 0x50, UINT32 - 1, 2 ** 31, 2 ** 31],
  ['<<', 0x60, 3, 2, 12],
  ['<< 31', 0x60, 3, 31, 2 ** 31],
  ['<< 32', 0x60, 3, 32, 0],
  ['>>', 0x70, 12, 2, 3],
  ['>> 31', 0x70, UINT32 - 1, 31, 1],
  ['>> 32', 0x70, UINT32 - 1, 32, 0],
  ['negation', 0x80, 5, 9, UINT32 - 5],
  ['negation of 0', 0x80, 0, 9, 0],
  ['%', 0x90, 17, 5, 2],
  ['^', 0xa0, 6, 3, 5],
  ['^ of 32 bits', 0xa0, UINT32 - 1, 1, UINT32 - 2],
])('%s, with a number and with the index register', (_, operation, a, operand, expected) => {
  expect(leaves(expected, `0 0 0 ${a}`, `${4 | operation} 0 0 ${operand}`)).toBe(true);
  expect(leaves(expected, `0 0 0 ${a}`, `1 0 0 ${operand}`, `${12 | operation} 0 0 99`)).toBe(true);
});

test.each([0x30, 0x90])('a division by zero (%i) ends the program', (operation) => {
  expect(passes('0 0 0 7', `${4 | operation} 0 0 0`, `${RET} 1`)).toBe(false);
  expect(passes('0 0 0 7', `${4 | operation} 0 0 1`, `${RET} 1`)).toBe(true);
});

test.each([
  ['=', 0x10, [false, true, false]],
  ['>', 0x20, [false, false, true]],
  ['>=', 0x30, [false, true, true]],
])('jumps where the accumulator is %s', (_, operation, expected) => {
  const found = [6, 7, 8].map((a) => passes(`0 0 0 ${a}`, `${5 | operation} 0 1 7`, `${RET} 1`, `${RET} 0`));
  expect(found).toEqual(expected);
  const byIndex = [6, 7, 8].map((a) =>
    passes(`0 0 0 ${a}`, '1 0 0 7', `${13 | operation} 1 0 99`, `${RET} 0`, `${RET} 1`),
  );
  expect(byIndex).toEqual(expected);
});

test('jumps where a bit is set', () => {
  const found = [0, 1, 2, 3, 2 ** 31].map((a) => passes(`0 0 0 ${a}`, '69 0 1 2', `${RET} 1`, `${RET} 0`));
  expect(found).toEqual([false, false, true, true, false]);
  expect(passes(`0 0 0 ${2 ** 31}`, `69 0 1 ${2 ** 31}`, `${RET} 1`, `${RET} 0`)).toBe(true);
});

test('loads of 4, 2 and 1 bytes, from a place and behind the index register', () => {
  expect(leaves(0x0800_4500, '32 0 0 12')).toBe(true);
  expect(leaves(0x0800, '40 0 0 12')).toBe(true);
  expect(leaves(0x45, '48 0 0 14')).toBe(true);
  expect(leaves(0x0800_4500, '1 0 0 10', '64 0 0 2')).toBe(true);
  expect(leaves(0x4500, '1 0 0 10', '72 0 0 4')).toBe(true);
  expect(leaves(0x45, '1 0 0 10', '80 0 0 4')).toBe(true);
  expect(passes('32 0 0 20', `${RET} 1`)).toBe(true);
  expect(passes('32 0 0 21', `${RET} 1`)).toBe(false);
  expect(passes('1 0 0 20', '64 0 0 1', `${RET} 1`)).toBe(false);
});

test('loads of the length and of the length of an IP header', () => {
  expect(leaves(PACKET.length, '128 0 0 0')).toBe(true);
  expect(leaves(20, '177 0 0 14', '135 0 0 0')).toBe(true);
  expect(passes('177 0 0 23', `${RET} 1`)).toBe(true);
  expect(passes('177 0 0 24', `${RET} 1`)).toBe(false);
});

test('the registers are copied, kept and returned', () => {
  expect(leaves(5, '0 0 0 5', '7 0 0 0', '0 0 0 1', '135 0 0 0')).toBe(true);
  expect(leaves(5, '1 0 0 5', '3 0 0 15', '0 0 0 1', '96 0 0 15')).toBe(true);
  expect(leaves(5, '0 0 0 5', '2 0 0 3', '97 0 0 3', '0 0 0 1', '135 0 0 0')).toBe(true);
  expect(passes('0 0 0 5', '22 0 0 0')).toBe(true);
  expect(passes('0 0 0 0', '22 0 0 1')).toBe(false);
});

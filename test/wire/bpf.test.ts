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

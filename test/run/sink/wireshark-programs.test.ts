import { expect, test } from 'vitest';
import { wiresharkItself, wiresharkPrograms } from '../../../src/run/sink/wireshark-programs.ts';

const everywhere = () => true;
const nowhere = () => false;

test('Wireshark is looked for on PATH, then where its installer puts it', () => {
  expect(wiresharkItself('linux', everywhere)).toEqual(['wireshark']);
  expect(wiresharkItself('darwin', everywhere)).toEqual([
    'Wireshark',
    '/Applications/Wireshark.app/Contents/MacOS/Wireshark',
  ]);
  expect(wiresharkItself('win32', everywhere)).toEqual([
    'wireshark',
    'C:\\Program Files\\Wireshark\\wireshark.exe',
    'C:\\Program Files (x86)\\Wireshark\\wireshark.exe',
  ]);
  expect(wiresharkItself('darwin', nowhere)).toEqual(['Wireshark']);
});

test('tshark comes before Wireshark itself: it answers sooner', () => {
  expect(wiresharkPrograms('linux', everywhere)).toEqual(['tshark', 'wireshark']);
  expect(wiresharkPrograms('darwin', everywhere)).toEqual([
    'tshark',
    'Wireshark',
    '/Applications/Wireshark.app/Contents/MacOS/tshark',
    '/Applications/Wireshark.app/Contents/MacOS/Wireshark',
  ]);
});

import { expect, test } from 'vitest';
import { programText } from '../../../src/cli/extcap/install.ts';
import { parseFolders, personalDirectory } from '../../../src/cli/extcap/wireshark-directories.ts';

test("Wireshark's directories are read as tshark prints them", () => {
  const text = 'Temp:                \t/tmp\nExtcap path:         \t/usr/lib/x86_64-linux-gnu/wireshark/extcap\n';
  expect(parseFolders(text).get('Extcap path')).toBe('/usr/lib/x86_64-linux-gnu/wireshark/extcap');
});

test('a path of Windows is read whole', () => {
  const text = 'Personal Extcap path:\tC:\\Users\\a b\\AppData\\Roaming\\Wireshark\\extcap\r\n';
  expect(parseFolders(text).get('Personal Extcap path')).toBe('C:\\Users\\a b\\AppData\\Roaming\\Wireshark\\extcap');
});

test.each([
  ['linux', '/home/u', undefined, '/home/u/.local/lib/wireshark/extcap'],
  ['darwin', '/Users/u', undefined, '/Users/u/.local/lib/wireshark/extcap'],
  ['win32', 'C:\\Users\\u', 'D:\\Roaming', 'D:\\Roaming\\Wireshark\\extcap'],
  ['win32', 'C:\\Users\\u', undefined, 'C:\\Users\\u\\AppData\\Roaming\\Wireshark\\extcap'],
] as const)('the own extcap directory on %s at %s', (platform, home, appData, directory) => {
  expect(personalDirectory(platform, home, appData)).toBe(directory);
});

test('the program starts this ksnoop with this Node, whatever is in their paths', () => {
  const text = programText('linux', ["/opt/it's node/node", '/opt/k s/ksnoop.mjs']);
  expect(text).toMatch(/^#!\/bin\/sh\n/);
  expect(text).toContain(`exec '/opt/it'\\''s node/node' '/opt/k s/ksnoop.mjs' extcap run "$@"\n`);
  expect(programText('win32', ['C:\\n\\node.exe', 'C:\\k\\ksnoop.mjs'])).toContain(
    '"C:\\n\\node.exe" "C:\\k\\ksnoop.mjs" extcap run %*\r\n',
  );
});

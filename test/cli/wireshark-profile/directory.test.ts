import { expect, test } from 'vitest';
import { configurationDirectory } from '../../../src/cli/wireshark-profile/install.ts';

test.each([
  ['linux', {}, '/nowhere/u', '/nowhere/u/.config/wireshark'],
  ['linux', { XDG_CONFIG_HOME: '/x' }, '/nowhere/u', '/x/wireshark'],
  ['darwin', {}, '/nowhere/u', '/nowhere/u/.config/wireshark'],
  ['win32', { APPDATA: 'D:\\Roaming' }, 'C:\\Users\\u', 'D:\\Roaming\\Wireshark'],
  ['win32', {}, 'C:\\Users\\u', 'C:\\Users\\u\\AppData\\Roaming\\Wireshark'],
] as const)("Wireshark's configuration on %s with %j", (platform, environment, home, directory) => {
  expect(configurationDirectory(platform, environment, home)).toBe(directory);
});

import { existsSync } from 'node:fs';
import { posix, win32 } from 'node:path';

/** Where Wireshark's installers put its programs, which are then not on PATH. */
const PLACES: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  darwin: ['/Applications/Wireshark.app/Contents/MacOS'],
  win32: ['C:\\Program Files\\Wireshark', 'C:\\Program Files (x86)\\Wireshark'],
};

type Exists = (path: string) => boolean;

/** Wireshark itself: on PATH, or where its installer puts it. In the order in which they are to be tried. */
export function wiresharkItself(platform: NodeJS.Platform = process.platform, exists: Exists = existsSync): string[] {
  const name = platform === 'darwin' ? 'Wireshark' : 'wireshark';
  return [name, ...installed([name], platform, exists)];
}

/** tshark, or Wireshark itself: on PATH, or where its installer puts it. In the order in which they are to be tried. */
export function wiresharkPrograms(platform: NodeJS.Platform = process.platform, exists: Exists = existsSync): string[] {
  const names = ['tshark', ...wiresharkItself(platform, () => false)];
  return [...names, ...installed(names, platform, exists)];
}

function installed(names: readonly string[], platform: NodeJS.Platform, exists: Exists): string[] {
  const suffix = platform === 'win32' ? '.exe' : '';
  const { join } = platform === 'win32' ? win32 : posix;
  const paths = (PLACES[platform] ?? []).flatMap((place) => names.map((name) => join(place, `${name}${suffix}`)));
  return paths.filter(exists);
}

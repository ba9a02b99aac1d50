import { spawnSync } from 'node:child_process';
import { homedir } from 'node:os';
import { posix, win32 } from 'node:path';
import { wiresharkPrograms } from '../../run/sink/wireshark-programs.ts';

const ASK_MS = 20_000;

/** A directory in which Wireshark looks, and the source of that. */
export interface WiresharkDirectory {
  readonly path: string;
  readonly source: string;
}

/** Wireshark's directories by their titles, as `tshark -G folders` prints them; undefined when there is no Wireshark here. */
function wiresharkDirectories(): { program: string; directories: ReadonlyMap<string, string> } | undefined {
  for (const program of wiresharkPrograms()) {
    // Without its extcap programs: one of them is ours.
    const { status, stdout } = spawnSync(program, ['-G', 'folders'], {
      encoding: 'utf8',
      timeout: ASK_MS,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    if (status === 0) return { program, directories: parseFolders(stdout) };
  }
  return undefined;
}

/** `Extcap path:        \t/usr/lib/…`: a title, blanks, a path. */
export function parseFolders(text: string): Map<string, string> {
  const lines = text.split(/\r?\n/).flatMap((line) => {
    const parts = /^([^:]+):\s+(.+)$/.exec(line);
    return parts === null ? [] : [[parts[1] ?? '', (parts[2] ?? '').trim()] as const];
  });
  return new Map(lines);
}

/**
 * Where an extcap program belongs: the user's own directory where this Wireshark has one (4.2 and later), else the one of
 * the installation; without any Wireshark, the user's directory of a new one.
 */
export function extcapDirectory(): WiresharkDirectory {
  const asked = wiresharkDirectories();
  const path =
    asked?.directories.get('Personal Extcap path') ??
    asked?.directories.get('Extcap path') ??
    asked?.directories.get('Global Extcap path');
  if (asked !== undefined && path !== undefined) return { path, source: `${asked.program} -G folders` };
  return { path: personalDirectory(process.platform), source: 'no Wireshark was found here; a new one looks there' };
}

/** The user's own extcap directory of Wireshark 4.2 and later. */
export function personalDirectory(platform: NodeJS.Platform, home = homedir(), appData = process.env.APPDATA): string {
  if (platform !== 'win32') return posix.join(home, '.local/lib/wireshark/extcap');
  return win32.join(appData ?? win32.join(home, 'AppData', 'Roaming'), 'Wireshark', 'extcap');
}

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { wiresharkPrograms } from '../../run/sink/wireshark-programs.ts';
import { installedExtcap } from '../extcap/install.ts';
import { extcapDirectory } from '../extcap/wireshark-directories.ts';
import { type Check, type Finding, findings } from './check.ts';

const ASK_MS = 20_000;

/** Older ones do not read the link type of Linux's `any` (hard to see: packets without a protocol). */
const WIRESHARK_OLDEST = [3, 4] as const;

/** Wireshark or tshark, tcpdump, and whether ksnoop is in Wireshark's list: all of them optional. */
export const programs: Check = {
  name: 'programs',
  look: () => [wireshark(), tcpdump(), extcap()],
};

function wireshark(): Finding {
  const finding = findings('wireshark');
  for (const program of wiresharkPrograms()) {
    const words = versionOf(program);
    const version = /\b(\d+)\.(\d+)\.\d+/.exec(words ?? '');
    if (words === undefined || version === null) continue;
    const [major, minor] = [Number(version[1]), Number(version[2])];
    const [wanted, least] = WIRESHARK_OLDEST;
    if (major > wanted || (major === wanted && minor >= least)) return finding.ok(`${program} ${version[0]}`);
    const message = `${program} ${version[0]} does not read what ksnoop captures on all interfaces of a pod`;
    return finding.warning(
      message,
      `install Wireshark ${wanted}.${least} or newer, or capture one interface: ksnoop -i eth0`,
    );
  }
  return finding.warning(
    'neither tshark nor Wireshark is installed; ksnoop itself does without',
    'https://www.wireshark.org/download.html',
  );
}

function tcpdump(): Finding {
  const finding = findings('tcpdump');
  const words = versionOf('tcpdump');
  if (words !== undefined) return finding.ok(words.split('\n')[0] ?? '');
  const message =
    'it is not installed; ksnoop read -f and the check of filters in Wireshark need it, captures from a cluster do not';
  return finding.warning(message, installCommand('tcpdump'));
}

function extcap(): Finding {
  const finding = findings('extcap');
  const { path } = extcapDirectory();
  const installed = installedExtcap(path);
  const fix = 'ksnoop extcap install';
  if (installed === undefined)
    return finding.skipped(`ksnoop is not in Wireshark's list of interfaces (${path}); to add it: ${fix}`);
  const gone = installed.starts.find((file) => !existsSync(file));
  if (gone !== undefined) return finding.problem(`${installed.path} starts ${gone}, which no longer exists`, fix);
  return finding.ok(installed.path);
}

function versionOf(program: string): string | undefined {
  const { status, stdout, stderr } = spawnSync(program, ['--version'], { encoding: 'utf8', timeout: ASK_MS });
  return status === 0 ? stdout || stderr : undefined;
}

function installCommand(program: string): string {
  if (process.platform === 'darwin') return `brew install ${program}`;
  return process.platform === 'win32'
    ? `install ${program}`
    : `sudo apt-get install ${program}   # or your system's own way`;
}

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { kept } from './kept.ts';

const SOURCE = join(import.meta.dirname, '../gopacket');

/** Where Go's own installer puts it; else wherever PATH finds it. */
const INSTALLED = '/usr/local/go/bin/go';

/** Build the gopacket program in test/bench/gopacket. @returns its path */
export async function gopacketRequests(): Promise<string> {
  const go = existsSync(INSTALLED) ? INSTALLED : 'go';
  const sources = ['main.go', 'go.mod', 'go.sum'].map((name) => readFileSync(join(SOURCE, name), 'utf8'));
  const version = execFileSync(go, ['version'], { encoding: 'utf8' }).trim();
  const { path } = await kept('gopacket-requests', [version, sources], async (output) => {
    execFileSync(go, ['build', '-o', output, '.'], { cwd: SOURCE, stdio: ['ignore', 'ignore', 'inherit'] });
    return version;
  });
  return path;
}

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The demo's hosts: a network namespace each, on one switch. */
export const HOSTS = { client: '10.78.0.10', web: '10.78.0.20', dns: '10.78.0.53' } as const;
export type Host = keyof typeof HOSTS;

const PREFIX = 'ksnoop-demo-';
const SWITCH = `${PREFIX}switch`;

/** Three hosts with real programs: dnsmasq, busybox httpd, and curl as the client. Made and taken down as a whole. */
export class LocalNetwork {
  readonly #directory = mkdtempSync(join(tmpdir(), 'ksnoop-demo-'));
  readonly #children: ChildProcess[] = [];
  /** `ip netns add` turns this directory into a mount when it is the first to use it. */
  readonly #hadNamespaces = existsSync('/run/netns');

  static namespace(host: Host): string {
    return PREFIX + host;
  }

  up(): void {
    this.#clear();
    ip('netns', 'add', SWITCH);
    inside(SWITCH, 'ip', 'link', 'add', 'br0', 'type', 'bridge');
    inside(SWITCH, 'ip', 'link', 'set', 'br0', 'up');
    for (const [host, address] of Object.entries(HOSTS)) {
      const name = PREFIX + host;
      ip('netns', 'add', name);
      inside(SWITCH, 'ip', 'link', 'add', host, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
      inside(SWITCH, 'ip', 'link', 'set', host, 'master', 'br0', 'up');
      inside(name, 'ip', 'address', 'add', `${address}/24`, 'dev', 'eth0');
      inside(name, 'ip', 'link', 'set', 'eth0', 'up');
      inside(name, 'ip', 'link', 'set', 'lo', 'up');
    }
    this.#startDns();
    this.#startWeb();
  }

  /** Fetch a path from `web.demo` as the client, its name asked of the demo's DNS. Returns what curl says of it. */
  fetch(path: string): string {
    const resolvConf = join(this.#directory, 'resolv.conf');
    writeFileSync(resolvConf, `nameserver ${HOSTS.dns}\n`);
    const script = `mount --bind ${resolvConf} /etc/resolv.conf && exec curl -s -m 5 -o /dev/null -w '%{http_code}' "$0"`;
    const url = `http://web.demo${path}`;
    return inside(`${PREFIX}client`, 'unshare', '--mount', 'sh', '-c', script, url);
  }

  down(): void {
    for (const child of this.#children) child.kill('SIGKILL');
    this.#clear();
    rmSync(this.#directory, { recursive: true, force: true });
    if (this.#hadNamespaces) return;
    try {
      execFileSync('umount', ['-n', '/run/netns'], { stdio: 'ignore' });
      rmSync('/run/netns', { recursive: true });
    } catch {
      // Somebody else has begun to use it meanwhile.
    }
  }

  #clear(): void {
    for (const name of [...Object.keys(HOSTS).map((host) => PREFIX + host), SWITCH]) {
      if (existsSync(`/run/netns/${name}`)) ip('netns', 'delete', name);
    }
  }

  #startDns(): void {
    const flags = ['--keep-in-foreground', '--no-resolv', '--no-hosts', '--no-daemon', '--port=53', '--user=root'];
    this.#run('dns', 'dnsmasq', [
      ...flags,
      '--conf-file=/dev/null',
      '--local=/demo/',
      `--host-record=web.demo,${HOSTS.web}`,
    ]);
  }

  #startWeb(): void {
    const root = join(this.#directory, 'www');
    mkdirSync(root);
    writeFileSync(join(root, 'index.html'), '<h1>ksnoop demo</h1>\n');
    writeFileSync(join(root, 'large.bin'), Buffer.alloc(200_000, 'ksnoop '));
    this.#run('web', 'busybox', ['httpd', '-f', '-p', '80', '-h', root]);
  }

  #run(host: Host, program: string, args: readonly string[]): void {
    const enter = [`--net=/run/netns/${PREFIX}${host}`, '--', program, ...args];
    this.#children.push(spawn('nsenter', enter, { stdio: 'ignore' }));
  }
}

function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function inside(namespace: string, ...argv: string[]): string {
  const enter = [`--net=/run/netns/${namespace}`, '--', ...argv];
  return execFileSync('nsenter', enter, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

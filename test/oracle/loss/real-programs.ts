import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type NamespacePair, RIGHT_ADDRESS, run } from '../../agent/namespaces.ts';
import { HANG_MS } from '../../support/hang.ts';
import { numberIn } from './conversation.ts';
import { packetsOf, type RealPacket } from './real-capture.ts';
import { grpc } from './real-grpc.ts';
import { mariadb } from './real-mariadb.ts';
import { memcached } from './real-memcached.ts';
import { postgresql } from './real-postgresql.ts';
import type { RealProgram } from './real-program.ts';

/** The status of answer 0; each answer has its own. 444 is nginx's for no answer. */
const FIRST_STATUS = 450;
const FAILURE_STATUS = 500;

/** One connection that is kept; the status tells which answer it is. */
const http: RealProgram = {
  protocol: 'http',
  title: 'nginx and curl',
  packages: ['nginx-light', 'curl'],
  port: 80,
  server: (directory, count) => {
    const answers = Array.from({ length: count }, (_, index) => {
      const body = 'x'.repeat((index * 37) % 4_000);
      return `location = /r${index} { return ${FIRST_STATUS + index} "${body}"; }`;
    });
    const file = join(directory, 'nginx.conf');
    writeFileSync(
      file,
      `daemon off; master_process off; user root; pid ${directory}/nginx.pid; error_log /dev/null;
events {}
http { access_log off; keepalive_requests 100000; server { listen ${RIGHT_ADDRESS}:80; ${answers.join('\n')} } }\n`,
    );
    return ['nginx', '-p', directory, '-c', file];
  },
  client: (count) => ({
    argv: ['curl', '-s', '-m', '170', '-K', '-'],
    stdin: Array.from(
      { length: count },
      (_, index) => `url = "http://${RIGHT_ADDRESS}/r${index}"\noutput = "/dev/null"\n`,
    )
      .join('')
      .concat('write-out = "%{http_code}\\n"\n'),
  }),
  answered: (stdout) => lines(stdout).map((line) => Number(line) - FIRST_STATUS),
  fails: (answer) => FIRST_STATUS + answer >= FAILURE_STATUS,
  requestOf: (event) => numberIn(event.label, /\/r(\d+)/),
  answerOf: (event) => {
    const status = numberIn(event.status, /^(\d{3})/);
    return status === undefined ? undefined : status - FIRST_STATUS;
  },
};

/** An unknown command is named in the error that it is answered with. */
const redis: RealProgram = {
  protocol: 'redis',
  title: 'Redis and its redis-cli',
  packages: ['redis-server', 'redis-tools'],
  port: 6379,
  server: (directory) => [
    'redis-server',
    ...['--port', '6379', '--bind', RIGHT_ADDRESS, '--save', '', '--dir', directory, '--protected-mode', 'no'],
  ],
  client: (count) => ({
    argv: ['redis-cli', '-h', RIGHT_ADDRESS],
    stdin: Array.from({ length: count }, (_, index) => `k${index} ${'x'.repeat(index)}\n`).join(''),
  }),
  answered: (stdout) => lines(stdout).map((line) => numberIn(line, /unknown command '?k(\d+)'?/) ?? Number.NaN),
  fails: () => true,
  requestOf: (event) => numberIn(event.label, /\bk(\d+)\b/i),
  answerOf: (event) => numberIn(event.status, /\bk(\d+)\b/i),
};

export const REAL_PROGRAMS = { http, redis, postgresql, mariadb, memcached, grpc } as const;

export interface RealTraffic {
  /** Of both ends, in the order of their times. */
  readonly packets: readonly RealPacket[];
  /** What the client printed. */
  readonly answered: readonly number[];
}

/** Let a client talk to its server, and capture at both ends. @param count requests */
export async function realTraffic(pair: NamespacePair, program: RealProgram, count: number): Promise<RealTraffic> {
  const directory = mkdtempSync(join(tmpdir(), 'ksnoop-loss-'));
  const children: ChildProcess[] = [];
  const start = (name: string, argv: readonly string[]) => {
    const [command = '', ...rest] = pair.inside(name, ...argv);
    children.push(spawn(command, rest, { stdio: 'ignore' }));
  };
  try {
    start(pair.right, program.server(directory, count));
    await listening(pair, program.port);
    const files = [pair.left, pair.right].map((name, place) => {
      const file = join(directory, `${place}.pcap`);
      start(name, ['tcpdump', '-i', 'eth0', ...CAPTURING, '-w', file, 'tcp']);
      return file;
    });
    await until(() => files.every((file) => sizeOf(file) >= 24));
    const { argv, stdin } = program.client(count);
    const [command = '', ...rest] = pair.inside(pair.left, ...argv);
    const stdout = execFileSync(command, rest, { encoding: 'utf8', input: stdin, stdio: ['pipe', 'pipe', 'ignore'] });
    await quiet(files);
    const packets = files.flatMap((file, place) => packetsOf(readFileSync(file), place));
    packets.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
    return { packets, answered: program.answered(stdout) };
  } finally {
    for (const child of children) child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A buffer (KiB) of 2,048 packets of 8,192 bytes, more than a run has: tcpdump loses none when it is late. */
const CAPTURING = ['--time-stamp-precision=nano', '-s', '8192', '-B', '16384', '-U', '--immediate-mode', '-Z', 'root'];

/** Lose packets of both namespaces on their way in, behind the place of capture. @param percent of 100 packets */
export function losePackets(pair: NamespacePair, percent: number): void {
  for (const name of [pair.left, pair.right]) {
    run(pair.inside(name, 'nft', 'add table ip loss'));
    run(pair.inside(name, 'nft', 'add chain ip loss input { type filter hook input priority 0; }'));
    run(pair.inside(name, 'nft', `add rule ip loss input meta l4proto tcp numgen random mod 100 < ${percent} drop`));
  }
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

async function listening(pair: NamespacePair, port: number): Promise<void> {
  const listener = `:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A`;
  await until(() => run(pair.inside(pair.right, 'cat', '/proc/net/tcp')).includes(listener));
}

/** Until the captures have not grown for a while. */
async function quiet(files: readonly string[]): Promise<void> {
  let before = -1;
  await until(() => {
    const now = files.reduce((sum, file) => sum + sizeOf(file), 0);
    const isQuiet = now === before;
    before = now;
    return isQuiet;
  }, 1_000);
}

function sizeOf(file: string): number {
  try {
    return readFileSync(file).length;
  } catch {
    return 0;
  }
}

async function until(isTrue: () => boolean, interval = 50): Promise<void> {
  const deadline = Date.now() + HANG_MS;
  while (!isTrue()) {
    if (Date.now() > deadline) throw new Error('what the test waits for did not happen');
    await sleep(interval);
  }
}

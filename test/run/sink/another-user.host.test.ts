import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openSink, type Sink } from '../../../src/run/sink/sink.ts';
import { sinkConfig } from '../../cli/config.ts';

/** The attacker's uid and gid; the tests are root's. */
const ANOTHER = 65_534;

/** Everybody may make files here and, unlike in /tmp, take away those of others. */
const directory = mkdtempSync(join(tmpdir(), 'ksnoop-shared-'));
chmodSync(directory, 0o777);
afterAll(() => rmSync(directory, { recursive: true }));

const never = new AbortController().signal;
const at = (name: string) => join(directory, name);
const open = (path: string, force = false) => openSink(sinkConfig({ write: path, force }), () => {}, never);

async function write(sink: Sink): Promise<void> {
  sink.writer.push(Buffer.from('packets'), 0, 7);
  await sink.close(false);
}

/** A program of the other user. */
function attacker(script: string) {
  const child = spawn('sh', ['-c', script], { uid: ANOTHER, gid: ANOTHER, stdio: ['pipe', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString('latin1');
  });
  return { child, printed: () => printed, closed: once(child, 'close') };
}

async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 60_000; !condition(); ) {
    if (Date.now() > end) throw new Error('not in a minute');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test("another user's FIFO gets no packets unless --force is given, which is said", async () => {
  const path = at('fifo');
  const { printed, closed } = attacker(`mkfifo -m 666 ${path}; cat ${path}`);
  await until(() => existsSync(path) && (statSync(path).mode & 0o777) === 0o666);
  await expect(open(path)).rejects.toMatchObject({
    code: 'FILE_OF_ANOTHER_USER',
    exit: 2,
    message: `${path} is a FIFO of another user (uid ${ANOTHER}).`,
    hint: expect.stringContaining('--force'),
  });
  const sink = await open(path, true);
  expect(sink.notice).toBe(`${path} is a FIFO of another user (uid ${ANOTHER}); --force writes to it`);
  await write(sink);
  await closed;
  // Nothing of the refused attempt.
  expect(printed()).toBe('packets');
});

test("another user's symbolic link is not followed unless --force is given, whatever it leads to", async () => {
  const target = at('target');
  writeFileSync(target, 'precious');
  execFileSync('mkfifo', [at('led-to-fifo')]);
  for (const [name, to] of [
    ['to-file', target],
    ['to-fifo', at('led-to-fifo')],
    ['to-device', '/dev/null'],
    ['to-nothing', at('nothing')],
  ] as const) {
    symlinkSync(to, at(name));
    lchownSync(at(name), ANOTHER, ANOTHER);
    await expect(open(at(name)), name).rejects.toMatchObject({
      code: 'FILE_OF_ANOTHER_USER',
      message: `${at(name)} is a symbolic link of another user (uid ${ANOTHER}).`,
    });
  }
  expect(readFileSync(target, 'utf8')).toBe('precious');
  expect(existsSync(at('nothing'))).toBe(false);
  const forced = await open(at('to-file'), true);
  expect(forced.notice).toContain('--force writes to it');
  await write(forced);
  expect(readFileSync(target, 'utf8')).toBe('packets');
});

test('a file that another user holds open gets no packets, with --force either', async () => {
  const path = at('held');
  // The attacker makes the file, lets everybody write it, and reads what comes into it.
  const { child, printed, closed } = attacker(
    `: > ${path}; chmod 666 ${path}; exec 3< ${path}; echo held; read -r go; cat <&3; echo end`,
  );
  await until(() => printed().includes('held'));
  await expect(open(path)).rejects.toMatchObject({
    code: 'FILE_OF_ANOTHER_USER',
    message: `${path} is a file of another user (uid ${ANOTHER}).`,
  });
  const sink = await open(path, true);
  expect(sink.notice).toContain('--force replaces it');
  await write(sink);
  child.stdin.end('go\n');
  await closed;
  expect(printed()).toBe('held\nend\n');
  expect(readFileSync(path, 'utf8')).toBe('packets');
  expect(statSync(path)).toMatchObject({ uid: 0, mode: 0o100600 });
  expect(readdirSync(directory).filter((name) => name.startsWith('.ksnoop-'))).toEqual([]);
});

test('a victim that is not root is protected alike, and what cannot be replaced is left as it is', async () => {
  // As in /tmp: files of others stay.
  const sticky = mkdtempSync(join(tmpdir(), 'ksnoop-sticky-'));
  chmodSync(sticky, 0o1777);
  try {
    const path = join(sticky, 'held');
    writeFileSync(path, '');
    chownSync(path, ANOTHER, ANOTHER);
    chmodSync(path, 0o666);
    const victim = `
      const { openSink } = await import(${JSON.stringify(join(import.meta.dirname, '../../../src/run/sink/sink.ts'))});
      process.setgroups([]); process.setgid(4242); process.setuid(4242);
      for (const force of [false, true]) {
        const config = { target: { kind: 'file', path: ${JSON.stringify(path)} }, force, form: { name: 'pcapng', binary: true } };
        await openSink(config, () => {}, new AbortController().signal).then(
          () => console.log('opened'),
          ({ code }) => console.log(code),
        );
      }`;
    const printed = execFileSync(process.execPath, ['--input-type=module', '-e', victim], { encoding: 'utf8' });
    expect(printed).toBe('FILE_OF_ANOTHER_USER\nCANNOT_WRITE\n');
    expect(readFileSync(path, 'utf8')).toBe('');
    expect(readdirSync(sticky)).toEqual(['held']);
  } finally {
    rmSync(sticky, { recursive: true });
  }
});

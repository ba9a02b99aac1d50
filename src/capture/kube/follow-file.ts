import { setTimeout as delay } from 'node:timers/promises';
import { KsnoopError, messageOf } from '../../wire/errors.ts';
import { openExec } from './exec.ts';
import { FOLLOW_SCRIPTS, type FollowScript, LINE_TOO_LONG, NO_PROGRAM } from './follow-scripts.ts';
import type { Kube } from './kube.ts';
import { FOLLOWED_FILE_BYTES } from './limits.ts';

/** A file in a container. */
export interface ContainerFile {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** Absolute. It goes to the container as an argument and is never part of a script. */
  readonly path: string;
}

export interface FileFollower {
  /** Reading begins, also anew after a connection broke. @returns what takes the bytes, from the file's beginning */
  begin(): (bytes: Uint8Array) => void;
  /** A message for the user, a sentence; each comes once. */
  note(sentence: string): void;
}

/** Another attempt changes nothing: no permission, no such pod or container. */
const FINAL: ReadonlySet<string> = new Set(['FORBIDDEN', 'NOT_FOUND', 'BAD_REQUEST', 'UNAUTHORIZED']);
const NO_SHELL = 'the container has no sh; name another container that mounts the same volume';
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
/** A container that does not run is asked for so often at first, ms and attempts; and after how many the user gets a note. */
const ABSENT_WAIT_MS = 1000;
const ABSENT_OFTEN = 60;
const ABSENT_NOTED = 5;
/** The kubelet's words. */
const NOT_RUNNING = /container not found/;
/** How long tail has to end by itself. */
const END_MS = 1000;
const STDERR_KEPT = 300;

/**
 * Read a file in a container from its beginning and as it grows, with pods/exec of the user, until `signal` is aborted or it cannot be
 * read: with tail, or where the container has none with its shell alone, which does not notice when another file takes its place. The
 * file may not exist yet. A broken connection is opened again. Never rejects.
 */
export async function followFile(
  kube: Kube,
  file: ContainerFile,
  follower: FileFollower,
  signal: AbortSignal,
): Promise<void> {
  const noted = new Set<string>();
  const note = (why: string) => {
    if (noted.has(why) || noted.size > 10 || signal.aborted) return;
    noted.add(why);
    follower.note(`${file.path} in ${file.namespace}/${file.pod} (${file.container}): ${why}`);
  };
  const scripts = [...FOLLOW_SCRIPTS];
  let absent = 0;
  for (let wait = FIRST_WAIT_MS; !signal.aborted; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
    const [script] = scripts;
    if (script === undefined) {
      note(NO_SHELL);
      return;
    }
    const end = await readOnce(kube, file, { script, push: follower.begin(), note }, signal);
    if (end === 'final') return;
    if (end === 'no program') {
      scripts.shift();
      continue;
    }
    if (end === 'worked') wait = FIRST_WAIT_MS;
    absent = end === 'not running' ? absent + 1 : 0;
    if (absent === ABSENT_NOTED) note('the container does not run');
    // A pod joins before its containers start, and what they write first is wanted at once.
    if (absent > 0 && absent < ABSENT_OFTEN) wait = Math.min(wait, ABSENT_WAIT_MS);
    await delay(wait, undefined, { signal, ref: false }).catch(() => undefined);
  }
}

interface Reading {
  readonly script: FollowScript;
  readonly push: (bytes: Uint8Array) => void;
  readonly note: (why: string) => void;
}

/** @returns whether bytes came, or trying again is useless, or the script needs what the container has not */
async function readOnce(
  kube: Kube,
  { path, ...place }: ContainerFile,
  { script, push, note }: Reading,
  signal: AbortSignal,
): Promise<'final' | 'no program' | 'not running' | 'worked' | 'failed'> {
  const cut = new AbortController();
  let left = FOLLOWED_FILE_BYTES;
  let end: () => void = () => cut.abort();
  const stop = () => end();
  let ticks: NodeJS.Timeout | undefined;
  let begun = '';
  signal.addEventListener('abort', stop, { once: true });
  try {
    const command = ['sh', '-c', script.text, 'ksnoop', path];
    const onStdout = (bytes: Uint8Array) => {
      if (left <= 0) return;
      left -= bytes.length;
      push(bytes);
      if (left <= 0) end();
    };
    const onStderr = (bytes: Uint8Array) => {
      // A line may come in pieces.
      const lines = `${begun}${Buffer.from(bytes).toString('utf8', 0, STDERR_KEPT)}`.split('\n');
      begun = lines.at(-1) ?? '';
      if (begun.length < STDERR_KEPT) lines.pop();
      else begun = '';
      for (const sentence of notesIn(lines)) note(sentence);
    };
    const stream = await openExec(kube, { ...place, command, stdin: true, onStdout, onStderr }, cut.signal);
    if (script.everyMs !== undefined) {
      const tick = () => void stream.write('more\n').catch(() => undefined);
      ticks = setInterval(tick, script.everyMs).unref();
      tick();
    }
    end = () => {
      clearInterval(ticks);
      void stream.write('end\n').then(() => stream.endStdin());
      setTimeout(() => stream.terminate(), END_MS).unref();
    };
    if (signal.aborted || left <= 0) end();
    const ended = await stream.ended;
    if (left <= 0) {
      note(`only its first ${FOLLOWED_FILE_BYTES / 2 ** 20} MiB are read`);
      return 'final';
    }
    if (ended.kind === 'exited' && ended.code === NO_PROGRAM) return 'no program';
    if (ended.kind === 'exited' && ended.code === LINE_TOO_LONG) return 'final';
    if (ended.kind === 'failed' && /executable file not found|no such file or directory/i.test(ended.error.message)) {
      note(NO_SHELL);
      return 'final';
    }
    if (ended.kind === 'failed' && NOT_RUNNING.test(ended.error.message)) return 'not running';
    if (ended.kind === 'failed') note(oneLine(ended.error.message));
    return left < FOLLOWED_FILE_BYTES ? 'worked' : 'failed';
  } catch (thrown) {
    if (NOT_RUNNING.test(messageOf(thrown))) return 'not running';
    note(oneLine(messageOf(thrown)));
    return thrown instanceof KsnoopError && FINAL.has(thrown.code) ? 'final' : 'failed';
  } finally {
    for (const sentence of notesIn([begun])) note(sentence);
    clearInterval(ticks);
    signal.removeEventListener('abort', stop);
  }
}

/** What tail writes on its own about a file that comes later, GNU's and busybox's. */
const NOT_YET = /: can(?:'|no)t open .*No such file/;
const APPEARED = /^tail: .* has (?:appeared|become accessible)/;

/** What the shell or tail in a container wrote to stderr, as notes. */
function* notesIn(stderr: readonly string[]): Generator<string> {
  for (const line of stderr.map(oneLine)) {
    if (line === '' || APPEARED.test(line)) continue;
    yield NOT_YET.test(line) ? 'does not exist yet; it is read when it appears' : line;
  }
}

/** What a program in a container wrote, without what moves a terminal's cursor. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
}

import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RecordedFile } from '../../capture/tenant/fetch-recording.ts';
import { KsnoopError, messageOf } from '../../wire/errors.ts';
import { PIECE_NAME } from '../../wire/recording.ts';
import type { MergedFile } from './merge-pieces.ts';

/** Files that are fetched at a time, each from another node where possible. */
const AT_A_TIME = 4;

/** Attempts of one file that bring nothing new, and the wait between two. */
const TRIES = 6;
const AGAIN_MS = 1_000;

export interface FetchObserver {
  /** @param bytes of all files so far, those that were there already included */
  progress(bytes: number): void;
  /** A message for the user, a sentence. */
  note(message: string): void;
}

/** What was fetched. */
export interface FetchedFiles {
  readonly files: readonly MergedFile[];
  /** Files that could not be fetched, a sentence each. */
  readonly missing: readonly string[];
}

/**
 * Fetch files into a directory and check their SHA-256. A file that is there is not fetched again, and one that is there in part is
 * fetched from where it ends.
 * @throws the signal's reason; KsnoopError CANNOT_WRITE. A file that fails does not keep the others from being fetched.
 */
export async function fetchFiles(
  files: readonly RecordedFile[],
  directory: string,
  observer: FetchObserver,
  signal: AbortSignal,
): Promise<FetchedFiles> {
  const fetched: MergedFile[] = [];
  const missing: string[] = [];
  let before = 0;
  const added = (bytes: number) => {
    before += bytes;
    observer.progress(before);
  };
  const waiting = [...spread(files)];
  const worker = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      signal.throwIfAborted();
      const path = join(directory, file.name);
      const { name, node, first } = file;
      try {
        await fetchFile(file, path, added, observer, signal);
        fetched.push({ path, source: node, first });
      } catch (thrown) {
        if (signal.aborted || !(thrown instanceof KsnoopError) || thrown.code === 'CANNOT_WRITE') throw thrown;
        missing.push(`${name} could not be fetched: ${thrown.message}`);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  return { files: fetched, missing };
}

/** One file of each node in turn: an agent sends one at a time. */
function* spread(files: readonly RecordedFile[]): Generator<RecordedFile> {
  const nodes = Map.groupBy(files, ({ node }) => node);
  while (nodes.size > 0) {
    for (const [node, own] of nodes) {
      const file = own.shift();
      if (file === undefined) nodes.delete(node);
      else yield file;
    }
  }
}

async function fetchFile(
  file: RecordedFile,
  path: string,
  added: (bytes: number) => void,
  observer: FetchObserver,
  signal: AbortSignal,
): Promise<void> {
  if (sizeOf(path) === file.bytes && (await sha256Of(path)) === file.sha256) {
    added(file.bytes);
    return;
  }
  const partial = `${path}.part`;
  makeDirectory(dirname(path));
  // Too long, or whole and of another recording: it is of no use.
  const isWhole = sizeOf(partial) === file.bytes && file.bytes > 0;
  if (sizeOf(partial) > file.bytes || (isWhole && (await sha256Of(partial)) !== file.sha256)) rmSync(partial);
  added(sizeOf(partial));
  let failures = 0;
  let isFresh = sizeOf(partial) === 0;
  while (sizeOf(partial) < file.bytes || file.bytes === 0) {
    const from = sizeOf(partial);
    try {
      await append(partial, await file.open(from, signal), file.bytes - from, added);
      if (file.bytes === 0) break;
      if (sizeOf(partial) === from) throw new KsnoopError('STREAM_LOST', 'Nothing came.');
    } catch (thrown) {
      signal.throwIfAborted();
      const error = thrown instanceof KsnoopError ? thrown : lost(thrown);
      if (error.code === 'CANNOT_WRITE' || error.code === 'NO_SUCH_RECORDING') throw error;
      failures = sizeOf(partial) > from ? 0 : failures + 1;
      if (failures >= TRIES) throw error;
      observer.note(`${file.name}: ${error.message} Trying again.`);
    }
    if (sizeOf(partial) < file.bytes) await sleep(AGAIN_MS, undefined, { signal });
    else if ((await sha256Of(partial)) !== file.sha256 && !isFresh) {
      // What was there from before was of another file.
      added(-file.bytes);
      rmSync(partial);
      isFresh = true;
    }
  }
  if ((await sha256Of(partial)) !== file.sha256) {
    rmSync(partial, { force: true });
    throw new KsnoopError('BAD_STREAM', 'Its SHA-256 is not the one that was recorded.');
  }
  renameSync(partial, path);
}

/** Add bytes of a response to a file, not more than are wanted; what came before the response broke is kept. */
async function append(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  wanted: number,
  added: (bytes: number) => void,
): Promise<void> {
  const handle = await open(path, 'a', 0o600);
  try {
    let left = wanted;
    for await (const chunk of chunks) {
      const taken = chunk.subarray(0, left);
      await handle.appendFile(taken);
      left -= taken.length;
      added(taken.length);
      // Read to its end, so that the connection can be used again; what is too much is not read.
      if (taken.length < chunk.length) return;
    }
  } finally {
    await handle.close();
  }
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new KsnoopError('CANNOT_WRITE', `The directory ${path} cannot be made: ${messageOf(cause)}.`, { cause });
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

async function sha256Of(path: string): Promise<string> {
  if (sizeOf(path) === 0) return createHash('sha256').digest('hex');
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}

function lost(cause: unknown): KsnoopError {
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  if (['ENOSPC', 'EACCES', 'EROFS', 'EDQUOT'].includes(code)) {
    return new KsnoopError('CANNOT_WRITE', `The file cannot be written: ${messageOf(cause)}.`, { cause });
  }
  return new KsnoopError('STREAM_LOST', `The connection broke: ${messageOf(cause).replace(/\.$/, '')}.`, { cause });
}

/** Remove files that fetchFiles has left in a directory, in part or whole, and nothing else. */
export function removeFetched(directory: string): void {
  const own = (name: string) => PIECE_NAME.test(name.replace(/\.part$/, ''));
  for (const node of readdirSync(directory, { withFileTypes: true })) {
    if (!node.isDirectory()) continue;
    const path = join(directory, node.name);
    for (const name of readdirSync(path)) if (own(name)) rmSync(join(path, name), { force: true });
    removeEmpty(path);
  }
  removeEmpty(directory);
}

/** Remove a directory where nothing is in it. */
export function removeEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Others have files in it.
  }
}

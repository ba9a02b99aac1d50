import { closeSync, fstatSync, lstatSync, openSync, realpathSync, type Stats, statSync, unlinkSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { isatty } from 'node:tty';
import { EXIT, KsnoopError } from '../../wire/errors.ts';
import { ByteWriter } from './byte-writer.ts';
import { openFifo } from './fifo.ts';
import { cannotWrite, fileExists, notYourFile } from './file-errors.ts';
import { anotherOwner } from './file-owner.ts';
import { createFile, replaceFile } from './new-file.ts';
import { openWireshark } from './wireshark.ts';

/** Where bytes go. */
export type SinkTarget =
  /** Descriptor 1, which stays open. */
  | { readonly kind: 'stdout' }
  | { readonly kind: 'file'; readonly path: string }
  /** Wireshark, started with these arguments besides those that make it read. */
  | { readonly kind: 'wireshark'; readonly arguments: readonly string[] }
  /** A stream, which is ended with the capture. */
  | { readonly kind: 'stream'; readonly stream: Writable };

/** Where the packets go, opened. */
export interface Sink {
  readonly writer: ByteWriter;
  /** Why writing ended, apart from the writer's own error. */
  readonly failure?: Error | undefined;
  /** The file it is; undefined for others. */
  readonly path?: string | undefined;
  /** What the user should know of it before packets are written: it is another user's. */
  readonly notice?: string | undefined;
  /** For the summary: `wrote incident.pcapng`; undefined for others than files. */
  readonly description: string | undefined;
  /** Close it; with `discard` a file made by us is removed again, because nothing was captured. */
  close(discard: boolean): Promise<void>;
}

/** What kept a sink from taking everything; undefined when nothing did, or its reader just went away. */
export function failureOf({ failure, writer }: Sink): Error | undefined {
  return failure ?? (writer.end?.kind === 'failed' ? writer.end.error : undefined);
}

/** Where a command's bytes go, and what they are. */
export interface SinkConfig {
  readonly target: SinkTarget;
  /** Replace an existing file, and write to what another user owns. */
  readonly force: boolean;
  /** The form of the bytes: what is binary must not reach a terminal. */
  readonly form: { readonly name: string; readonly binary: boolean };
}

/**
 * @param signal gives up waiting for the reader of a FIFO
 * @throws KsnoopError FILE_EXISTS, FILE_OF_ANOTHER_USER and USAGE (exit 2), CANNOT_WRITE, NO_WIRESHARK, and the signal's reason
 */
export async function openSink(config: SinkConfig, onProgress: () => void, signal: AbortSignal): Promise<Sink> {
  const { target } = config;
  switch (target.kind) {
    case 'stdout':
      return openStdout(onProgress);
    case 'stream':
      return device(target.stream, onProgress);
    case 'wireshark':
      return openWireshark(target.arguments, onProgress);
    case 'file':
      return openFile(target.path, config, onProgress, signal);
  }
}

function openStdout(onProgress: () => void): Sink {
  const writer = new ByteWriter(1, onProgress);
  return { writer, description: undefined, close: () => writer.drained() };
}

/** A new file with mode 0600, also in the place of an existing one; or the device or FIFO that has this name. */
async function openFile(path: string, config: SinkConfig, onProgress: () => void, signal: AbortSignal): Promise<Sink> {
  const created = createFile(path);
  if (created !== undefined) return file(created, path, onProgress, { made: true });
  const named = lstatSync(path);
  const linkNotice = noticeOf(path, named, config);
  const there = named.isSymbolicLink() ? leadsTo(path) : named;
  // Above all no disk: --force is for files.
  if (!(there.isFIFO() || there.isCharacterDevice() || there.isFile())) {
    throw cannotWrite(path, there.isDirectory() ? 'it is a directory' : 'it is not a file');
  }
  if (there.isFile()) {
    const notice = linkNotice ?? noticeOf(path, there, config);
    if (!config.force) throw fileExists(path);
    return file(replaceFile(realpathSync(path)), path, onProgress, { made: false, notice });
  }
  // Nothing is lost by writing to them: /dev/null, or the pipe of a shell's >(program).
  const fd = there.isFIFO() ? await waitedFor(path, signal) : openDevice(path, config);
  try {
    const opened = fstatSync(fd);
    // Whoever owns the directory may have replaced it since.
    if (opened.isFile()) throw cannotWrite(path, 'it was replaced while it was opened');
    const notice = linkNotice ?? noticeOf(path, opened, config);
    return { ...device(fd, onProgress), path, notice };
  } catch (thrown) {
    closeSync(fd);
    throw thrown;
  }
}

/** @throws KsnoopError CANNOT_WRITE */
function leadsTo(link: string): Stats {
  let there: Stats | undefined;
  try {
    there = statSync(link, { throwIfNoEntry: false });
  } catch (cause) {
    throw cannotWrite(link, cause);
  }
  if (there === undefined) throw cannotWrite(link, 'it is a link to a file that does not exist');
  return there;
}

/** What the user learns of a file that another user owns. @throws KsnoopError FILE_OF_ANOTHER_USER (exit 2) without --force */
function noticeOf(path: string, state: Stats, { force }: SinkConfig): string | undefined {
  const another = anotherOwner(state);
  if (another === undefined) return undefined;
  if (!force) throw notYourFile(path, another);
  return state.isFile() ? `${path} ${another}; --force replaces it` : `${path} ${another}; --force writes to it`;
}

function file(
  fd: number,
  path: string,
  onProgress: () => void,
  { made, notice }: { readonly made: boolean; readonly notice?: string | undefined },
): Sink {
  const writer = new ByteWriter(fd, onProgress);
  return {
    writer,
    path,
    notice,
    description: `wrote ${path}`,
    close: async (discard) => {
      await writer.drained();
      writer.close();
      if (discard && made) unlinkSync(path);
    },
  };
}

async function waitedFor(path: string, signal: AbortSignal): Promise<number> {
  try {
    return await openFifo(path, signal);
  } catch (cause) {
    throw signal.aborted ? cause : cannotWrite(path, cause);
  }
}

function openDevice(path: string, config: SinkConfig): number {
  let fd: number;
  try {
    fd = openSync(path, 'w');
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
  if (!config.form.binary || !isatty(fd)) return fd;
  closeSync(fd);
  throw new KsnoopError('USAGE', `The ${config.form.name} format is binary and ${path} is a terminal.`, {
    hint: 'Write it to a file, or send it to a program.',
    exit: EXIT.usage,
  });
}

/** Something that is there already and stays: a device, a FIFO, a program's stdin. */
function device(target: number | Writable, onProgress: () => void): Sink {
  const writer = new ByteWriter(target, onProgress);
  return {
    writer,
    description: undefined,
    close: async () => {
      await writer.drained();
      writer.close();
    },
  };
}

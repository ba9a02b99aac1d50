import { closeSync, fchmodSync, ftruncateSync, openSync, statSync, unlinkSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { isatty } from 'node:tty';
import { EXIT, KsnoopError, systemCode } from '../../wire/errors.ts';
import { ByteWriter } from './byte-writer.ts';
import { openFifo } from './fifo.ts';
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
  /** Overwrite an existing file. */
  readonly force: boolean;
  /** The form of the bytes: what is binary must not reach a terminal. */
  readonly form: { readonly name: string; readonly binary: boolean };
}

/**
 * @param signal gives up waiting for the reader of a FIFO
 * @throws KsnoopError FILE_EXISTS and USAGE (exit 2), CANNOT_WRITE, NO_WIRESHARK, and the signal's reason
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

/** Captured packets are for the user alone: mode 0600, also when an existing file is overwritten. */
async function openFile(path: string, config: SinkConfig, onProgress: () => void, signal: AbortSignal): Promise<Sink> {
  let fd: number;
  let made = true;
  try {
    fd = openSync(path, 'wx', 0o600);
  } catch (cause) {
    if (systemCode(cause) !== 'EEXIST') throw cannotWrite(path, cause);
    // A symbolic link may lead nowhere.
    const there = statSync(path, { throwIfNoEntry: false });
    if (there === undefined) throw cannotWrite(path, 'it is a link to a file that does not exist');
    // Nothing is lost by writing to them: /dev/null, or the pipe of a shell's >(program).
    if (there.isFIFO()) return { ...device(await waitedFor(path, signal), onProgress), path };
    if (there.isCharacterDevice()) return { ...device(openDevice(path, config), onProgress), path };
    // Above all no disk: --force is for files.
    if (!there.isFile()) throw cannotWrite(path, there.isDirectory() ? 'it is a directory' : 'it is not a file');
    if (!config.force) {
      throw fileExists(path);
    }
    made = false;
    try {
      fd = openSync(path, 'r+');
      fchmodSync(fd, 0o600);
      ftruncateSync(fd);
    } catch (again) {
      throw cannotWrite(path, again);
    }
  }
  const writer = new ByteWriter(fd, onProgress);
  return {
    writer,
    path,
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

export function fileExists(path: string): KsnoopError {
  return new KsnoopError('FILE_EXISTS', `The file ${path} already exists.`, {
    hint: 'Use --force to overwrite it, or choose another name.',
    exit: EXIT.usage,
  });
}

/** @param cause the system's error, or the reason as text */
export function cannotWrite(path: string, cause: unknown): KsnoopError {
  const code = systemCode(cause) ?? '';
  const why = typeof cause === 'string' ? cause : (REASONS[code] ?? `the system says ${code}`);
  return new KsnoopError('CANNOT_WRITE', `The file ${path} cannot be written: ${why}.`, { cause });
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'you have no permission',
  EPERM: 'you have no permission',
  EISDIR: 'it is a directory',
  ENAMETOOLONG: 'its name is too long',
  ENOENT: 'its directory does not exist',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'its path leads through a file that is not a directory',
  EROFS: 'the file system is read-only',
};

import { spawn } from 'node:child_process';
import { fchmodSync, ftruncateSync, openSync, statSync, unlinkSync } from 'node:fs';
import { EXIT, KsnoopError, messageOf, systemCode } from '../wire/errors.ts';
import { ByteWriter } from './byte-writer.ts';
import type { CaptureConfig } from './capture-options.ts';

/** Where the packets go, opened. */
export interface Sink {
  readonly writer: ByteWriter;
  /** For the summary: `wrote incident.pcapng`; undefined for stdout. */
  readonly description: string | undefined;
  /** Close it; with `discard` a file made by us is taken away again, for nothing was captured. */
  close(discard: boolean): Promise<void>;
}

/** @throws KsnoopError FILE_EXISTS (exit 2), CANNOT_WRITE, NO_WIRESHARK */
export async function openSink(config: CaptureConfig, onProgress: () => void): Promise<Sink> {
  switch (config.sink.kind) {
    case 'stdout':
      return { writer: new ByteWriter(1, onProgress), description: undefined, close: async () => {} };
    case 'wireshark':
      return openWireshark(onProgress);
    case 'file':
      return openFile(config.sink.path, config.force, onProgress);
  }
}

/** Captured packets are nobody else's business: 0600, also when an existing file is written over. */
function openFile(path: string, force: boolean, onProgress: () => void): Sink {
  let fd: number;
  let made = true;
  try {
    fd = openSync(path, 'wx', 0o600);
  } catch (cause) {
    if (systemCode(cause) !== 'EEXIST') throw cannotWrite(path, cause);
    const there = statSync(path);
    // Nothing is lost by writing to them: /dev/null, or the pipe of a shell's >(program).
    if (there.isFIFO() || there.isCharacterDevice()) return openDevice(path, onProgress);
    if (there.isFile() && !force) {
      throw new KsnoopError('FILE_EXISTS', `The file ${path} exists and is not written over.`, {
        hint: 'Choose another name, or say --force.',
        exit: EXIT.usage,
      });
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
    description: `wrote ${path}`,
    close: async (discard) => {
      await writer.drained();
      writer.close();
      if (discard && made) unlinkSync(path);
    },
  };
}

/** A device or a FIFO; the latter waits here for its reader. */
function openDevice(path: string, onProgress: () => void): Sink {
  let fd: number;
  try {
    fd = openSync(path, 'w');
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
  const writer = new ByteWriter(fd, onProgress);
  return {
    writer,
    description: undefined,
    close: async () => {
      await writer.drained();
      writer.close();
    },
  };
}

function cannotWrite(path: string, cause: unknown): KsnoopError {
  return new KsnoopError('CANNOT_WRITE', `The file ${path} cannot be written: ${messageOf(cause)}.`, { cause });
}

async function openWireshark(onProgress: () => void): Promise<Sink> {
  const child = spawn('wireshark', ['-k', '-i', '-'], { stdio: ['pipe', 'ignore', 'ignore'] });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) =>
      reject(
        new KsnoopError('NO_WIRESHARK', `Wireshark could not be started: ${cause.message}.`, {
          hint: 'Install it, or pipe into another program: ksnoop pod/NAME | tshark -r -',
        }),
      ),
    );
  });
  const writer = new ByteWriter(child.stdin, onProgress);
  return {
    writer,
    description: undefined,
    close: async () => {
      await writer.drained();
      writer.close();
    },
  };
}

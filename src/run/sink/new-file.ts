import { randomBytes } from 'node:crypto';
import { closeSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { systemCode } from '../../wire/errors.ts';
import { cannotWrite } from './file-errors.ts';

/** Captured packets are for the user alone. */
const MODE = 0o600;

/**
 * Create a file that did not exist (O_EXCL, which follows no symbolic link): nobody can have it open. It has its final name
 * from the beginning, so a growing capture can be read, and a killed ksnoop leaves what it had written.
 * @returns a file descriptor for writing; undefined where something has this name already
 * @throws KsnoopError CANNOT_WRITE
 */
export function createFile(path: string): number | undefined {
  try {
    return openSync(path, 'wx', MODE);
  } catch (cause) {
    if (systemCode(cause) === 'EEXIST') return undefined;
    throw cannotWrite(path, cause);
  }
}

/**
 * Put a new file in the place of what has this name. The old file is not written into: whoever has it open, or owns it, gets
 * no packets. A symbolic link is replaced, not followed. The file gets its name before anything is written, as in `createFile`.
 * @returns a file descriptor for writing
 * @throws KsnoopError CANNOT_WRITE
 */
export function replaceFile(path: string): number {
  const temporary = join(dirname(path), `.ksnoop-${randomBytes(8).toString('hex')}`);
  let fd: number | undefined;
  try {
    fd = openSync(temporary, 'wx', MODE);
    renameSync(temporary, path);
    return fd;
  } catch (cause) {
    if (fd !== undefined) {
      closeSync(fd);
      rmSync(temporary, { force: true });
    }
    throw cannotWrite(path, cause);
  }
}

import { closeSync, existsSync, writeFileSync } from 'node:fs';
import { cannotWrite, fileExists } from '../sink/file-errors.ts';
import { createFile, replaceFile } from '../sink/new-file.ts';

/** Where a report goes. */
export interface ReportFile {
  readonly path: string;
  /** Replace an existing file. */
  readonly force: boolean;
}

/** Refuse early what could not be written at the end. @throws KsnoopError FILE_EXISTS (exit 2) */
export function checkReportFile({ path, force }: ReportFile): void {
  if (!force && existsSync(path)) throw fileExists(path);
}

/** Write a page into a new file that only the user can read. @throws KsnoopError FILE_EXISTS, CANNOT_WRITE */
export function writeReport({ path, force }: ReportFile, page: string): void {
  const fd = force ? replaceFile(path) : createFile(path);
  if (fd === undefined) throw fileExists(path);
  try {
    writeFileSync(fd, `${page}\n`);
    closeSync(fd);
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
}

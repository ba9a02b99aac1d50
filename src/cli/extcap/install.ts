import { chmodSync, existsSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { ownCommand } from '../../capture/own-program.ts';
import { EXIT, type ExitCode, KsnoopError, messageOf, systemCode } from '../../wire/errors.ts';
import { VERSION } from '../../wire/version.ts';
import { logger } from '../logger.ts';
import { shellWord } from '../shell-word.ts';
import { extcapDirectory } from './wireshark-directories.ts';

export interface RawExtcapOptions {
  readonly directory?: string;
  readonly quiet?: boolean;
}

/** By this the program is known as ours. */
const MARK = 'written by ksnoop extcap install';

/** Codes of a file system that does not let us write. */
const NO_RIGHT = new Set(['EACCES', 'EPERM', 'EROFS']);

/** `ksnoop extcap install` */
export function installExtcap(raw: RawExtcapOptions): ExitCode {
  const { info, warn } = logger({ quiet: raw.quiet === true, verbose: false });
  const { directory, source } = directoryOf(raw);
  const path = join(directory, programName());
  if (existsSync(path) && !isOurs(path)) {
    const hint = 'Remove it, or name another directory with --directory.';
    throw new KsnoopError('FILE_EXISTS', `The file ${path} exists and was not written by ksnoop.`, {
      hint,
      exit: EXIT.usage,
    });
  }
  info(`Wireshark looks for such programs in ${directory} (${source})`);
  try {
    writeProgram(path);
  } catch (cause) {
    throw NO_RIGHT.has(systemCode(cause) ?? '') ? needsRights(path, cause) : cannotWrite(path, cause);
  }
  warn(`wrote ${path}; the interface "ksnoop" is in Wireshark's list from its next start on, and in tshark -D`);
  return EXIT.done;
}

/** `ksnoop extcap uninstall` */
export function uninstallExtcap(raw: RawExtcapOptions): ExitCode {
  const { warn } = logger({ quiet: raw.quiet === true, verbose: false });
  const path = join(directoryOf(raw).directory, programName());
  if (!existsSync(path) || !isOurs(path)) {
    warn(`${path} does not exist or was not written by ksnoop`);
    return EXIT.done;
  }
  try {
    unlinkSync(path);
  } catch (cause) {
    throw new KsnoopError('CANNOT_WRITE', `The file ${path} cannot be removed: ${messageOf(cause)}.`, {
      hint: `Run: sudo rm ${shellWord(path)}`,
      cause,
    });
  }
  warn(`removed ${path}`);
  return EXIT.done;
}

/** The program of ours that is installed in a directory: what it starts, or undefined. */
export function installedExtcap(directory: string): { path: string; starts: readonly string[] } | undefined {
  const path = join(directory, programName());
  if (!existsSync(path) || !isOurs(path)) return undefined;
  const lines = readFileSync(path, 'utf8').matchAll(/^(?:#|rem) starts (.+?)\r?$/gm);
  return { path, starts: [...lines].map((match) => match[1] ?? '') };
}

function directoryOf({ directory }: RawExtcapOptions): { directory: string; source: string } {
  if (directory !== undefined) return { directory: resolve(directory), source: 'from --directory' };
  const { path, source } = extcapDirectory();
  return { directory: path, source };
}

function programName(): string {
  return process.platform === 'win32' ? 'ksnoop.bat' : 'ksnoop';
}

function isOurs(path: string): boolean {
  return readFileSync(path, 'utf8').includes(MARK);
}

function writeProgram(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(
    path,
    programText(
      process.platform,
      ownCommand().map((word) => resolve(word)),
    ),
  );
  chmodSync(path, 0o755);
}

/**
 * A program that starts this ksnoop with this Node, by their paths: `own` (the one executable is both). Started from a desktop, Wireshark has a short PATH, on which the
 * plugins that fetch a cluster's credentials are not found: the present one is added.
 */
export function programText(platform: NodeJS.Platform, own: readonly string[]): string {
  const about = [
    `${MARK} (ksnoop ${VERSION}); removed by ksnoop extcap uninstall`,
    ...own.map((word) => `starts ${word}`),
  ];
  if (platform === 'win32') {
    const remarks = about.map((line) => `rem ${line}\r\n`).join('');
    return `@echo off\r\n${remarks}${own.map((word) => `"${word}"`).join(' ')} extcap run %*\r\n`;
  }
  // Nothing before the colon would be the directory one happens to be in.
  const path = `PATH="\${PATH:+$PATH:}"${shellWord(process.env.PATH ?? '')}`;
  const remarks = about.map((line) => `# ${line}\n`).join('');
  return `#!/bin/sh\n${remarks}export ${path}\nexec ${own.map(shellWord).join(' ')} extcap run "$@"\n`;
}

/** The program is left where the user may write, with the command that puts it where it belongs. */
function needsRights(path: string, cause: unknown): KsnoopError {
  const own = join(process.env.XDG_DATA_HOME || join(homedir(), '.local/share'), 'ksnoop/extcap', programName());
  writeProgram(own);
  const command =
    process.platform === 'win32'
      ? `in a prompt run as administrator: copy "${own}" "${path}"`
      : `sudo install -D -m 0755 ${shellWord(own)} ${shellWord(path)}`;
  return new KsnoopError('CANNOT_WRITE', `You may not write to ${dirname(path)}.`, { hint: `Run: ${command}`, cause });
}

function cannotWrite(path: string, cause: unknown): KsnoopError {
  return new KsnoopError('CANNOT_WRITE', `The file ${path} cannot be written: ${messageOf(cause)}.`, { cause });
}

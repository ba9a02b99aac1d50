import { EXIT, KsnoopError, systemCode } from '../../wire/errors.ts';

export function fileExists(path: string): KsnoopError {
  return new KsnoopError('FILE_EXISTS', `The file ${path} already exists.`, {
    hint: 'Use --force to overwrite it, or choose another name.',
    exit: EXIT.usage,
  });
}

/** @param what is wrong with it, the rest of a sentence that begins with the path */
export function notYourFile(path: string, what: string): KsnoopError {
  return new KsnoopError('FILE_OF_ANOTHER_USER', `${path} ${what}.`, {
    hint: 'That user could read the packets or choose where they go. Choose another name, or use --force.',
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
  EBUSY: 'it is mounted on its own, or another program uses it',
  EPERM: 'you have no permission',
  EISDIR: 'it is a directory',
  ELOOP: 'its symbolic links lead in a circle',
  ENAMETOOLONG: 'its name is too long',
  ENOENT: 'its directory does not exist',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'its path leads through a file that is not a directory',
  EROFS: 'the file system is read-only',
};

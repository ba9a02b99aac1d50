import { EXIT, KsnoopError } from '../../wire/errors.ts';

/** `--keylog exec:CONTAINER:PATH`: a key log in this container of each captured pod. */
export interface PodKeyLog {
  readonly container: string;
  readonly path: string;
}

const PREFIX = 'exec:';
/** A DNS label (RFC 1123), as Kubernetes names containers. */
const CONTAINER = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
/** PATH_MAX of Linux. */
const PATH_BYTES = 4096;

/** Whether `--keylog` names a key log in pods. */
export function isPodKeyLog(text: string): boolean {
  return text.startsWith(PREFIX);
}

/**
 * @returns undefined for the name of a file on this machine
 * @throws KsnoopError USAGE (exit 2)
 */
export function parsePodKeyLog(text: string): PodKeyLog | undefined {
  if (!isPodKeyLog(text)) return undefined;
  const [, container = '', ...rest] = text.split(':');
  const path = rest.join(':');
  const refuse = (message: string) =>
    new KsnoopError('USAGE', message, {
      exit: EXIT.usage,
      hint: 'For example: --keylog exec:app:/ksnoop-keys/app.log',
    });
  if (!CONTAINER.test(container)) throw refuse('--keylog exec:CONTAINER:PATH needs the name of a container.');
  if (!path.startsWith('/')) throw refuse('--keylog exec:CONTAINER:PATH needs an absolute path.');
  if (/\p{Cc}/u.test(path) || Buffer.byteLength(path) > PATH_BYTES) {
    throw refuse('The path of --keylog exec:CONTAINER:PATH is too long or has control characters.');
  }
  return { container, path };
}

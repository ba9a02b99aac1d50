import { accessSync, constants } from 'node:fs';
import { KsnoopError } from '../wire/errors.ts';
import type { Proc } from './proc.ts';

const PROGRAMS = ['tcpdump', 'nsenter', 'setpriv'];

/** @throws KsnoopError NOT_READY naming what this node's agent lacks */
export function checkReady(proc: Proc): void {
  const folders = (process.env.PATH ?? '').split(':');
  const missing = PROGRAMS.filter((program) => !folders.some((folder) => isExecutable(`${folder}/${program}`)));
  if (missing.length > 0) {
    throw new KsnoopError('NOT_READY', `The agent's image lacks ${missing.join(', ')}.`, { hint: 'Build it anew.' });
  }
  if (proc.networkNamespace(1) === undefined) {
    throw new KsnoopError('NOT_READY', "The network namespace of the node's process 1 may not be opened.", {
      hint: 'The agent needs hostPID, SYS_PTRACE and SYS_ADMIN: see daemonset/base.',
    });
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

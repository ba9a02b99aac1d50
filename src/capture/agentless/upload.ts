import { randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { EXIT, KsnoopError, messageOf } from '../../wire/errors.ts';
import type { Kube } from '../kube/kube.ts';
import { PROGRAM_MAXIMUM } from '../limits.ts';
import { type ContainerPlace, runInContainer } from './run-in-container.ts';
import { type Inspection, uploadCommand } from './script.ts';

/** What ELF calls a machine (e_machine), and uname. */
const MACHINES: Readonly<Record<number, string>> = { 62: 'x86_64', 183: 'aarch64' };

/**
 * A program of this machine, for upload.
 * @throws KsnoopError UPLOAD_NEEDS_PROGRAM when none is named, or when it is no statically linked Linux program
 */
export async function readProgram(path: string | undefined): Promise<Buffer> {
  if (path === undefined) throw noProgram('--agentless=upload needs a statically linked tcpdump, and none is named.');
  let program: Buffer;
  try {
    if ((await stat(path)).size > PROGRAM_MAXIMUM) throw new Error(`it has more than ${PROGRAM_MAXIMUM} bytes`);
    program = await readFile(path);
  } catch (cause) {
    throw noProgram(`The program ${path} cannot be used: ${messageOf(cause)}.`);
  }
  if (!isStaticElf(program)) throw noProgram(`${path} is not a statically linked program for Linux.`);
  return program;
}

function noProgram(message: string): KsnoopError {
  return new KsnoopError('UPLOAD_NEEDS_PROGRAM', message, {
    hint: 'Build one: node daemonset/probe/build.ts --tcpdump FILE. Then: --agentless=upload --agentless-program FILE',
    exit: EXIT.usage,
  });
}

/**
 * Copy a program into a container: to /dev, which is a writable, executable tmpfs also where the root is read-only.
 * @returns its path there
 * @throws KsnoopError AGENTLESS_REFUSED when it cannot be written or is for another machine, and as openExec does
 */
export async function upload(
  kube: Kube,
  place: ContainerPlace,
  { program, inspection, signal }: { program: Buffer; inspection: Inspection; signal: AbortSignal },
): Promise<string> {
  const label = `container ${place.container} of pod ${place.namespace}/${place.pod}`;
  const machine = MACHINES[program.readUInt16LE(18)] ?? 'another machine';
  if (inspection.machine !== '' && inspection.machine !== machine) {
    throw refused(`The program is for ${machine}, and ${label} runs on ${inspection.machine}.`);
  }
  const path = `/dev/ksnoop-${randomBytes(4).toString('hex')}`;
  const ran = await runInContainer(kube, place, {
    command: uploadCommand(path, program.length),
    input: program,
    signal,
  });
  if (ran.code === 0) return path;
  throw refused(`tcpdump could not be written into ${label}: ${ran.stderr.trim() || `exit code ${ran.code}`}.`);
}

function refused(message: string): KsnoopError {
  return new KsnoopError('AGENTLESS_REFUSED', message, {
    hint: 'Capture with an agent on the node, in a privileged namespace: --agentless=node',
  });
}

/** A 64-bit little-endian ELF file without a program interpreter (PT_INTERP; ELF-64 object file format, 4 and 7). */
export function isStaticElf(file: Buffer): boolean {
  if (file.length < 64 || file.toString('latin1', 0, 4) !== '\u007fELF' || file[4] !== 2 || file[5] !== 1) return false;
  const offset = Number(file.readBigUInt64LE(32));
  const size = file.readUInt16LE(54);
  const count = file.readUInt16LE(56);
  for (let index = 0; index < count; index++) {
    const start = offset + index * size;
    if (start + 4 > file.length) return false;
    if (file.readUInt32LE(start) === PT_INTERP) return false;
  }
  return count > 0;
}

const PT_INTERP = 3;

import { KsnoopError } from '../../wire/errors.ts';
import { COMPILE_BYTES, COMPILE_CPU_SECONDS, FILTER_SHOWN } from '../limits.ts';
import type { OpenNetns } from '../netns/namespace.ts';
import { runInside } from '../netns/spawn-inside.ts';
import type { TcpdumpOptions } from './tcpdump.ts';

/** tcpdump's stderr without its name and its start-up lines, as one line. */
export function plainWords(stderr: string): string {
  return stderr
    .split('\n')
    .map((line) => line.replace(/^(tcpdump|setpriv|nsenter|prlimit): /, '').trim())
    .filter((line) => line !== '' && !/^(listening on|verbose output|data link type|\d+ packets? )/.test(line))
    .join('; ');
}

/** Whether the interface exists, as far as /proc shows. @throws KsnoopError UNKNOWN_INTERFACE */
export async function checkInterface(namespace: OpenNetns, options: TcpdumpOptions): Promise<void> {
  const names = namespace.interfaces();
  if (names === undefined || options.interface === 'any' || names.includes(options.interface)) return;
  throw await unknownInterface(namespace, options);
}

/** Whether this tcpdump is too old to print lines and write packets at the same time. */
export function cannotPrint(stderr: string): boolean {
  return /(unrecognized|invalid|unknown) option/i.test(stderr);
}

/**
 * Compile a filter as the capture itself will: on the same interface, with its link type; and within bounds, for a short
 * filter can keep the compiler busy for minutes, in gigabytes.
 * @throws KsnoopError BAD_FILTER with tcpdump's own words or when the bounds are reached, UNKNOWN_INTERFACE
 */
export async function checkFilter(namespace: OpenNetns, options: TcpdumpOptions): Promise<void> {
  if (options.filter === undefined) return;
  const linkType = options.interface === 'any' ? ['-y', 'LINUX_SLL2'] : [];
  const bounds = ['prlimit', `--cpu=${COMPILE_CPU_SECONDS}`, `--as=${COMPILE_BYTES}`, '--'];
  const argv = [
    ...bounds,
    'tcpdump',
    '-Z',
    'root',
    '-i',
    options.interface,
    ...linkType,
    '-s',
    String(options.snaplen),
    '-d',
  ];
  const { code, stderr } = await runInside(namespace, options.session, [...argv, '--', options.filter]);
  if (code === 0) return;
  // Killed for its CPU time, or out of memory.
  if (code === null || /\bmalloc\b|out of memory|cannot allocate memory/i.test(stderr)) throw tooLarge(options.filter);
  if (isInterfaceError(stderr)) throw await unknownInterface(namespace, options);
  const words = plainWords(stderr);
  if (code === 127 || isPermissionError(stderr)) throw cannotRun(namespace, words);
  throw new KsnoopError('BAD_FILTER', `tcpdump refuses the filter "${shortened(options.filter)}": ${words}.`, {
    hint: 'Its language is that of pcap-filter(7).',
  });
}

function shortened(filter: string): string {
  return filter.length > FILTER_SHOWN ? `${filter.slice(0, FILTER_SHOWN)}…` : filter;
}

function tooLarge(filter: string): KsnoopError {
  const bounds = `${COMPILE_CPU_SECONDS} s of CPU time or ${COMPILE_BYTES / 1024 / 1024} MiB`;
  const message = `The filter "${shortened(filter)}" is too expensive to compile (more than ${bounds}).`;
  return new KsnoopError('BAD_FILTER', message, {
    hint: 'Use fewer port ranges and hosts.',
  });
}

/** Why a capture's tcpdump ended by itself. */
export async function whyEnded(namespace: OpenNetns, options: TcpdumpOptions, stderr: string) {
  if (isInterfaceError(stderr)) return unknownInterface(namespace, options);
  const words = plainWords(stderr);
  if (isPermissionError(stderr)) return cannotRun(namespace, words);
  return new KsnoopError('TCPDUMP_ENDED', `tcpdump ended in ${namespace.name}: ${words || 'it gave no reason'}.`);
}

function isPermissionError(stderr: string): boolean {
  return /permi|ENOENT|No such file|not found|failed to execute|reassociate/i.test(stderr);
}

function cannotRun(namespace: OpenNetns, words: string): KsnoopError {
  return new KsnoopError('TCPDUMP_NOT_STARTED', `tcpdump could not be run in ${namespace.name}: ${words}.`, {
    hint: 'It needs tcpdump, nsenter, setpriv and prlimit, root, NET_RAW, SYS_ADMIN, SYS_PTRACE, SETUID, SETGID, SETPCAP and KILL: see daemonset/.',
  });
}

/** Whether tcpdump's stderr means that the interface does not exist, is down or has gone. */
function isInterfaceError(stderr: string): boolean {
  return /No such device|SIOCGIFHWADDR|doesn't exist|is not up|interface disappeared|went down/i.test(stderr);
}

/** The error for an interface that does not exist, naming those that do. */
async function unknownInterface(namespace: OpenNetns, options: TcpdumpOptions): Promise<KsnoopError> {
  const names = namespace.interfaces() ?? (await listInterfaces(namespace, options.session));
  return new KsnoopError('UNKNOWN_INTERFACE', `${namespace.name} has no interface ${options.interface} that is up.`, {
    hint: `It has: ${['any', ...names].join(', ')}.`,
  });
}

/** By tcpdump's own list, where no process of the namespace is known whose /proc/PID/net/dev could be read. */
async function listInterfaces(namespace: OpenNetns, session: string): Promise<string[]> {
  const { stdout } = await runInside(namespace, session, ['tcpdump', '-Z', 'root', '-D']);
  const names = [...stdout.matchAll(/^\d+\.(\S+)/gm)].map((match) => match[1] ?? '');
  return names.filter((name) => !/^(any|bluetooth.*|nflog|nfqueue|dbus-.*|usbmon.*)$/.test(name));
}

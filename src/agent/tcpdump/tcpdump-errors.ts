import { KsnoopError } from '../../wire/errors.ts';
import type { OpenNetns } from '../netns/namespace.ts';
import { runInside } from '../netns/spawn-inside.ts';
import type { TcpdumpOptions } from './tcpdump.ts';

/** What tcpdump said on stderr, less its own name and its greetings, as one line. */
export function plainWords(stderr: string): string {
  return stderr
    .split('\n')
    .map((line) => line.replace(/^(tcpdump|setpriv|nsenter): /, '').trim())
    .filter((line) => line !== '' && !/^(listening on|verbose output|data link type|\d+ packets? )/.test(line))
    .join('; ');
}

/** Whether the interface exists, as far as /proc tells. @throws KsnoopError UNKNOWN_INTERFACE */
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
 * Compile a filter as the capture itself will: on the same interface, with its link type.
 * @throws KsnoopError BAD_FILTER with tcpdump's own words, UNKNOWN_INTERFACE
 */
export async function checkFilter(namespace: OpenNetns, options: TcpdumpOptions): Promise<void> {
  if (options.filter === undefined) return;
  const linkType = options.interface === 'any' ? ['-y', 'LINUX_SLL2'] : [];
  const argv = ['tcpdump', '-Z', 'root', '-i', options.interface, ...linkType, '-s', String(options.snaplen), '-d'];
  const { code, stderr } = await runInside(namespace, options.session, [...argv, '--', options.filter]);
  if (code === 0) return;
  if (isInterfaceError(stderr)) throw await unknownInterface(namespace, options);
  const words = plainWords(stderr);
  if (code === 127 || isPermissionError(stderr)) throw cannotRun(namespace, words);
  throw new KsnoopError('BAD_FILTER', `tcpdump refuses the filter "${options.filter}": ${words}.`, {
    hint: 'Its language is that of pcap-filter(7).',
  });
}

/** Why a capture's tcpdump ended although nobody asked it to. */
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
    hint: 'It needs tcpdump, nsenter and setpriv, root, NET_RAW, SYS_ADMIN SYS_PTRACE and SETPCAP: see daemonset/.',
  });
}

/** Whether tcpdump's words mean that the interface does not exist, is down or has gone. */
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

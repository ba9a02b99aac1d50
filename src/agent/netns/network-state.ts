import { addressText } from '../../wire/address-text.ts';
import type { InterfaceCounts, ListeningSocket, NetworkState } from '../../wire/network-state.ts';
import { LISTENING_MAXIMUM, STATE_FILE_BYTES, STATE_READ_MS } from '../limits.ts';
import type { OpenNetns } from './namespace.ts';
import { outputOf, spawnInside } from './spawn-inside.ts';

const NET = '/proc/self/net/';
const CONNTRACK = '/proc/sys/net/netfilter/nf_conntrack_';
const CONNTRACK_COUNTERS = `${NET}stat/nf_conntrack`;
const PORT_RANGE = '/proc/sys/net/ipv4/ip_local_port_range';
const SOCKETS = [`${NET}tcp`, `${NET}tcp6`];
const FILES = [
  ...['snmp', 'snmp6', 'netstat', 'dev'].map((name) => NET + name),
  `${CONNTRACK}count`,
  `${CONNTRACK}max`,
  CONNTRACK_COUNTERS,
  PORT_RANGE,
  ...SOCKETS,
];

/**
 * What the kernel counts in a network namespace now. Read by a program inside the namespace, for /proc/PID/net shows the
 * namespace of its reader, and the files of conntrack show no other. Every file is read up to STATE_FILE_BYTES: listening
 * sockets come first in those of sockets.
 * @returns undefined when nothing could be read within STATE_READ_MS
 */
export async function readNetworkState(namespace: OpenNetns, session: string): Promise<NetworkState | undefined> {
  const child = spawnInside(namespace, session, ['head', '-v', '-c', String(STATE_FILE_BYTES), ...FILES]);
  const chunks: Buffer[] = [];
  await outputOf(child, STATE_READ_MS, (chunk) => void chunks.push(chunk));
  const files = filesIn(Buffer.concat(chunks).toString('latin1'));
  return files.size === 0 ? undefined : networkState(files);
}

/** Files as `head -v` prints several: each behind a line with its name, with an empty line between two. */
export function filesIn(output: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const name of FILES) {
    const head = `==> ${name} <==\n`;
    const at = output.startsWith(head) ? 0 : output.indexOf(`\n${head}`) + 1;
    if (at === 0 && !output.startsWith(head)) continue;
    const start = at + head.length;
    const end = output.indexOf('\n==> /proc/', start - 1);
    files.set(name, output.slice(start, end < 0 ? undefined : end));
  }
  return files;
}

/** @param files the contents of the files above, as far as they were read */
export function networkState(files: ReadonlyMap<string, string>): NetworkState {
  const counters: Record<string, number> = {};
  addPairs(files.get(`${NET}snmp`), counters);
  addPairs(files.get(`${NET}netstat`), counters);
  addNamed(files.get(`${NET}snmp6`), counters);
  addConntrack(files.get(CONNTRACK_COUNTERS), counters);
  const dev = files.get(`${NET}dev`);
  const count = Number.parseInt(files.get(`${CONNTRACK}count`) ?? '', 10);
  const maximum = Number.parseInt(files.get(`${CONNTRACK}max`) ?? '', 10);
  return {
    counters,
    ...(dev !== undefined && { interfaces: interfacesIn(dev) }),
    ...socketsIn(SOCKETS.flatMap((name) => files.get(name) ?? [])),
    ...portRange(files.get(PORT_RANGE)),
    ...(Number.isInteger(count) && Number.isInteger(maximum) && { conntrack: { count, maximum } }),
  };
}

/** Two lines a group: `Tcp: ActiveOpens …` and `Tcp: 17 …` (proc(5), /proc/net/snmp; netstat has the same form). */
function addPairs(text: string | undefined, counters: Record<string, number>): void {
  const lines = (text ?? '').split('\n');
  for (let index = 0; index + 1 < lines.length; index += 2) {
    const names = (lines[index] ?? '').split(' ');
    const values = (lines[index + 1] ?? '').split(' ');
    if (names[0] !== values[0]) continue;
    const group = (names[0] ?? '').replace(':', '');
    for (let at = 1; at < names.length; at++) addCount(counters, `${group} ${names[at]}`, values[at]);
  }
}

/** One line a counter: `Ip6InReceives    123`. */
function addNamed(text: string | undefined, counters: Record<string, number>): void {
  for (const line of (text ?? '').split('\n')) {
    const [name = '', value] = line.split(/\s+/);
    const group = /^(?:Ip|Icmp|Udp|UdpLite)6/.exec(name)?.[0];
    if (group !== undefined) addCount(counters, `${group} ${name.slice(group.length)}`, value);
  }
}

/** Failures that conntrack counts: a line of names, then one of hexadecimal numbers for each CPU. */
const CONNTRACK_FAILURES: ReadonlySet<string> = new Set(['insert_failed', 'drop', 'early_drop']);

function addConntrack(text: string | undefined, counters: Record<string, number>): void {
  const [head = '', ...lines] = (text ?? '').split('\n');
  const names = head.trim().split(/\s+/);
  for (const [at, name] of names.entries()) {
    if (!CONNTRACK_FAILURES.has(name)) continue;
    let sum = 0;
    for (const line of lines) sum += Number.parseInt(line.trim().split(/\s+/)[at] ?? '', 16) || 0;
    addCount(counters, `Conntrack ${name}`, String(sum));
  }
}

/** `32768 60999` */
function portRange(text: string | undefined): Pick<NetworkState, 'portRange'> {
  const [first, last] = (text ?? '').trim().split(/\s+/).map(Number);
  if (!Number.isInteger(first) || !Number.isInteger(last)) return {};
  return { portRange: { first: first as number, last: last as number } };
}

/** Counters that are 0 are left out: most are. */
function addCount(counters: Record<string, number>, name: string, text: string | undefined): void {
  const value = Number(text);
  if (Number.isFinite(value) && value !== 0) counters[name] = value;
}

/** `  eth0: bytes packets errs drop fifo frame compressed multicast bytes packets errs drop …` behind two lines of heads. */
function interfacesIn(text: string): InterfaceCounts[] {
  return text
    .split('\n')
    .slice(2)
    .flatMap((line) => {
      const colon = line.lastIndexOf(':');
      if (colon < 0) return [];
      const counts = line
        .slice(colon + 1)
        .trim()
        .split(/\s+/)
        .map(Number);
      const count = (index: number) => counts[index] || 0;
      return [
        {
          name: line.slice(0, colon).trim(),
          receivedBytes: count(0),
          receivedPackets: count(1),
          receiveErrors: count(2),
          receiveDropped: count(3),
          sentBytes: count(8),
          sentPackets: count(9),
          sendErrors: count(10),
          sendDropped: count(11),
        },
      ];
    });
}

/** Numbers of include/net/tcp_states.h. */
const STATES = [
  '',
  'established',
  'syn-sent',
  'syn-received',
  'fin-wait-1',
  'fin-wait-2',
  'time-wait',
  'close',
  'close-wait',
  'last-ack',
  'listen',
  'closing',
  'syn-received',
];
const LISTEN = 10;

/** `sl local_address rem_address st tx_queue:rx_queue …`, numbers in hex; the queue of a listening socket is rx_queue. */
function socketsIn(texts: readonly string[]): Pick<NetworkState, 'listening' | 'connections' | 'socketsCut'> {
  if (texts.length === 0) return {};
  const listening: ListeningSocket[] = [];
  const connections: Record<string, number> = {};
  let isCut = false;
  for (const text of texts) {
    const lines = text.split('\n').slice(1);
    // A last line without its end was cut.
    if (text.length >= STATE_FILE_BYTES) {
      isCut = true;
      lines.pop();
    }
    for (const line of lines) {
      const fields = line.trim().split(/\s+/);
      const state = Number.parseInt(fields[3] ?? '', 16);
      const name = STATES[state];
      if (!name) continue;
      if (state !== LISTEN) connections[name] = (connections[name] ?? 0) + 1;
      else if (listening.length < LISTENING_MAXIMUM) listening.push(listeningSocket(fields));
      else isCut = true;
    }
  }
  return { listening, connections, ...(isCut && { socketsCut: true }) };
}

function listeningSocket(fields: readonly string[]): ListeningSocket {
  const [hex = '', port = ''] = (fields[1] ?? '').split(':');
  const [, queue = ''] = (fields[4] ?? '').split(':');
  // Words of 32 bits, each in the byte order of the machine: little-endian wherever Node runs.
  const bytes = Buffer.from(hex, 'hex');
  if (bytes.length % 4 === 0) bytes.swap32();
  const isAddress = bytes.length === 4 || bytes.length === 16;
  return {
    address: isAddress ? addressText(bytes, 0, bytes.length) : '',
    port: Number.parseInt(port, 16) || 0,
    queue: Number.parseInt(queue, 16) || 0,
  };
}

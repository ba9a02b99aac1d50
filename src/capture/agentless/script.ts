/**
 * What runs tcpdump in a container. Its stdin is the lease: at the end of it, or at a line, tcpdump ends with its counts; so
 * nothing stays behind when ksnoop is killed. Program, interface, snaplen and filter are arguments and never part of the script.
 * Shells give programs in the background no stdin (POSIX, 2.9.3.1), so that the lease is read from a copy of it. A tcpdump
 * that can change its user would do so, which takes capabilities that the container does not have: -Z root keeps it.
 * The container ends a moment later, so that the exit code still comes.
 */
const SCRIPT = `
exec 3<&0
tcpdump=$1; after=$2; interface=$3; snaplen=$4; shift 4
case "$("$tcpdump" --help 2>&1)" in *" -Z "*) user="-Z root";; *) user=;; esac
"$tcpdump" -n -i "$interface" -s "$snaplen" -U $user -w - "$@" & dump=$!
{ read -r line <&3; kill -TERM "$dump"; } 2>/dev/null & lease=$!
wait "$dump"; status=$?
kill "$lease" 2>/dev/null
case "$after" in
  remove) rm -f "$tcpdump";;
  end) { sleep 1; kill 1; } 3<&- >/dev/null 2>&1 & ;;
esac
exit "$status"
`;

/** What is done after the capture: the container is ended, whose first process is there for nothing else, or the program removed. */
export type AfterCapture = 'nothing' | 'end' | 'remove';

export interface ProbeArguments {
  /** The program: `tcpdump`, or the path of one that was uploaded. */
  readonly tcpdump: string;
  readonly interface: string;
  readonly snaplen: number;
  readonly filter: string | undefined;
  readonly after: AfterCapture;
}

/** The command of the exec. */
export function probeCommand({ tcpdump, after, interface: name, snaplen, filter }: ProbeArguments): string[] {
  const words = ['sh', '-c', SCRIPT, 'ksnoop', tcpdump, after, name, String(snaplen)];
  return filter === undefined ? words : [...words, '--', filter];
}

/** What an exec in a container can do, in lines that `parseInspection` reads. Uses only what every POSIX shell has built in. */
export const INSPECT_COMMAND = [
  'sh',
  '-c',
  `command -v tcpdump >/dev/null && echo tcpdump
while read -r key value; do case "$key" in CapEff:) echo "capabilities $value";; esac; done </proc/self/status
echo "machine $(uname -m 2>/dev/null)"
exit 0`,
] as const;

/** What a container has. */
export interface Inspection {
  readonly hasTcpdump: boolean;
  /** Whether what is exec'd there may open a packet socket; undefined when it could not be read. */
  readonly mayCapture: boolean | undefined;
  /** As uname has it: `x86_64`, `aarch64`; empty when it is not known. */
  readonly machine: string;
}

/** CAP_NET_RAW (linux/capability.h). */
const NET_RAW = 1n << 13n;

/** Read what INSPECT_COMMAND printed, whatever it is. */
export function parseInspection(text: string): Inspection {
  const capabilities = /^capabilities ([0-9a-f]{1,16})$/m.exec(text)?.[1];
  return {
    hasTcpdump: /^tcpdump$/m.test(text),
    mayCapture: capabilities === undefined ? undefined : (BigInt(`0x${capabilities}`) & NET_RAW) !== 0n,
    machine: /^machine (\w{1,20})$/m.exec(text)?.[1] ?? '',
  };
}

/** Writes `bytes` bytes of its stdin to a new program, and removes it when fewer have come. */
export function uploadCommand(path: string, bytes: number): string[] {
  const script = 'head -c "$2" >"$1" && chmod 700 "$1" && [ "$(wc -c <"$1")" -eq "$2" ] && exit 0; rm -f "$1"; exit 1';
  return ['sh', '-c', script, 'ksnoop', path, String(bytes)];
}

/** What ends the lease. */
export const END_LINE = 'end\n';

/**
 * What runs tcpdump in a container. Its stdin is the lease: at the end of it, or at a line, tcpdump ends with its counts; so
 * nothing stays behind when ksnoop is killed. Interface, snaplen and filter are arguments and never part of the script.
 * Shells give programs in the background no stdin (POSIX, 2.9.3.1), so that the lease is read from a copy of it. A tcpdump
 * that can change its user would do so, which takes capabilities that the container does not have: -Z root keeps it.
 * The container ends a moment later, so that the exit code still comes.
 */
const SCRIPT = `
exec 3<&0
interface=$1; snaplen=$2; kills=$3; shift 3
case "$(tcpdump --help 2>&1)" in *" -Z "*) user="-Z root";; *) user=;; esac
tcpdump -n -i "$interface" -s "$snaplen" -U $user -w - "$@" & dump=$!
{ read -r line <&3; kill -TERM "$dump"; } 2>/dev/null & lease=$!
wait "$dump"; status=$?
kill "$lease" 2>/dev/null
[ "$kills" = 0 ] || { sleep 1; kill "$kills"; } 3<&- >/dev/null 2>&1 &
exit "$status"
`;

export interface ProbeArguments {
  readonly interface: string;
  readonly snaplen: number;
  readonly filter: string | undefined;
  /** Ends the container with the capture: its first process is there for nothing else. */
  readonly endsContainer: boolean;
}

/** The command of the exec. */
export function probeCommand({ interface: name, snaplen, filter, endsContainer }: ProbeArguments): string[] {
  const words = ['sh', '-c', SCRIPT, 'ksnoop', name, String(snaplen), endsContainer ? '1' : '0'];
  return filter === undefined ? words : [...words, '--', filter];
}

/** Succeeds where a container has what the script needs. */
export const CHECK_COMMAND = ['sh', '-c', 'command -v tcpdump >/dev/null'] as const;

/** What ends the lease. */
export const END_LINE = 'end\n';

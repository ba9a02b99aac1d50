/** A shell script for a container that writes a file to stdout as it grows; the file is its first argument. */
export interface FollowScript {
  readonly text: string;
  /** How often it wants a line on its stdin, ms; undefined: none until it shall end. */
  readonly everyMs?: number;
}

/** The container has no such program. */
export const NO_PROGRAM = 127;

/** Its stdin is the lease, as of agentless captures: tail ends with the connection, also when ksnoop is killed. */
const WITH_TAIL: FollowScript = {
  text: `
command -v tail >/dev/null || exit ${NO_PROGRAM}
exec 3<&0
tail -n +1 -F -- "$1" 3<&- & tail=$!
{ read -r line <&3; kill "$tail"; } 2>/dev/null & lease=$!
wait "$tail"; status=$?
kill "$lease" 2>/dev/null
exit "$status"
`,
};

/** A line that is longer is left out: a shell alone keeps a line in its memory until it is whole. */
export const LINE_BYTES = 65_536;
/** Of a shell that can only read whole lines, however long, KiB: it ends (dash by a segmentation fault) when a line does not fit. */
const SHELL_DATA_KIB = 4096;
/** A line did not fit into the memory of such a shell; another attempt would read the same. */
export const LINE_TOO_LONG = 65;

/**
 * Only what a POSIX shell has built in; there may be no sleep, so each line on stdin makes it read what is new. A line that is not
 * whole stays for the next time. bash and busybox read a part of a long line (-n); dash reads a line as a whole, so what it may
 * allocate is limited, in a subshell whose end can be seen.
 */
const SHELL_ALONE: FollowScript = {
  everyMs: 500,
  text: `
longest=${LINE_BYTES}
long() { echo "lines longer than ${LINE_BYTES / 1024} KiB are left out" >&2; }
some=
if printf 'ab\\n' | { read -r -n 1 a && [ "$a" = a ]; } 2>/dev/null; then some="-n $longest"; fi
# What the shell itself reports about the end of the subshell is not shown.
exec 5>&2 2>/dev/null
(
exec 2>&5
[ -n "$some" ] || { ulimit -c 0; ulimit -d ${SHELL_DATA_KIB}; } 2>/dev/null
file= part= skip=
while read -r word && [ "$word" = more ]; do
  if [ -z "$file" ]; then
    [ -r "$1" ] || continue
    exec 4<"$1"
    file=open
  fi
  whole=
  while [ -z "$whole" ]; do
    if IFS= read -r $some line <&4; then newline=yes; else newline= whole=yes; fi
    # As many as were asked for: the end of the line is not among them.
    if [ -n "$some" ] && [ "\${#line}" -ge "$longest" ]; then newline=; fi
    part=$part$line
    if [ "\${#part}" -ge "$longest" ]; then
      [ -n "$skip" ] || long
      skip=yes part=
    fi
    if [ -n "$newline" ]; then
      [ -n "$skip" ] || printf '%s\\n' "$part"
      part= skip=
    elif [ -n "$skip" ]; then
      part=
    fi
  done
done
exit 0
)
status=$?
if [ -z "$some" ] && [ "$status" -gt 128 ]; then
  echo "a line is too long for the container's shell, which has no memory for it" >&5
  status=${LINE_TOO_LONG}
fi
exit "$status"
`,
};

/** In the order in which they are tried. */
export const FOLLOW_SCRIPTS: readonly FollowScript[] = [WITH_TAIL, SHELL_ALONE];

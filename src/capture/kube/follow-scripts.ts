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

/**
 * Only what a POSIX shell has built in; there may be no sleep, so each line on stdin makes it read what is new. A line that is not
 * whole stays for the next time.
 */
const SHELL_ALONE: FollowScript = {
  everyMs: 500,
  text: `
file= part=
while read -r word && [ "$word" = more ]; do
  if [ -z "$file" ]; then
    [ -r "$1" ] || continue
    exec 4<"$1"
    file=open
  fi
  while IFS= read -r line <&4; do
    printf '%s\\n' "$part$line"
    part=
  done
  part=$part$line
done
exit 0
`,
};

/** In the order in which they are tried. */
export const FOLLOW_SCRIPTS: readonly FollowScript[] = [WITH_TAIL, SHELL_ALONE];

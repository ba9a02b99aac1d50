/** In the environment of every process an agent starts for a session: a later clean-up recognises them by it. */
export const SESSION_MARK = 'KSNOOP_SESSION';

/**
 * Whether a process belongs to a session whose agent is gone. Its new parent can be any process: init, or a subreaper as
 * systemd's user manager is one (prctl(2), PR_SET_CHILD_SUBREAPER).
 * @param environ its environment, and `parent` its parent's command line, both as proc(5) has them: words ended by NUL
 */
export function isOrphaned(environ: string, parent: string): boolean {
  if (!environ.split('\0').some((entry) => entry.startsWith(`${SESSION_MARK}=`))) return false;
  return !parent.split('\0').some((word) => word.includes('ksnoop-agent') || word.endsWith('agent/main.ts'));
}

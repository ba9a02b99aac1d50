import type { KeyLogFile } from '../../run/keys/key-log-patch.ts';

/** What to do with a patch. */
export interface PatchUse {
  /** KIND/NAME. */
  readonly target: string;
  /** The flags for kubectl and ksnoop that name the namespace and the cluster. */
  readonly flags: string;
  readonly kind: string;
  readonly files: readonly KeyLogFile[];
  readonly remove: boolean;
}

/** What writes a key log, and what it needs for that. */
const PROGRAMS = [
  ['curl, Python, Firefox, Chromium', 'nothing more: they read SSLKEYLOGFILE (Python in default contexts)'],
  ['other programs with OpenSSL', 'nothing more where OpenSSL (3.5 and later) was built with enable-sslkeylog'],
  ['Node', 'NODE_OPTIONS=--tls-keylog=FILE'],
  ['Go', 'code: tls.Config.KeyLogWriter, a file opened for appending'],
  ['Java', '-javaagent:extract-tls-secrets.jar=FILE, or jSSLKeyLog'],
  ['Envoy', 'common_tls_context.key_log.path'],
] as const;

/** How a patch is applied, what programs need besides, and how the keys are used; lines for stderr. */
export function patchNotes({ target, flags, kind, files, remove }: PatchUse): string {
  const restart = kind === 'cronjob' ? 'Jobs that start later have it.' : restartWords(kind);
  const apply = [
    `Nothing was changed. Apply the patch: kubectl patch ${target} ${flags} --patch-file FILE`,
    `  try it first with --dry-run=server; ${restart}`,
  ];
  if (remove) return lines(apply);
  const set = files.flatMap(({ container, before }) =>
    before === undefined
      ? []
      : [`Note: SSLKEYLOGFILE of container ${container} is set already (${printable(before)}); the patch replaces it.`],
  );
  const [first] = files;
  const width = Math.max(...PROGRAMS.map(([program]) => program.length));
  return lines([
    ...apply,
    ...set,
    'What programs need to write their keys (FILE: the path in the patch):',
    ...PROGRAMS.map(([program, need]) => `  ${program.padEnd(width)}  ${need}`),
    'The files lie in memory, which counts for the memory limit of the container. They can be read by whoever may exec into the pod.',
    ...(first === undefined ? [] : [`Then: ${useOf(first, target, flags)}`]),
    `Take it back: ksnoop keylog patch ${target} ${flags} --remove`,
  ]);
}

function useOf({ path, container }: KeyLogFile, target: string, flags: string): string {
  return `ksnoop ${target} ${flags} --keylog exec:${container}:${path} -o text`;
}

function restartWords(kind: string): string {
  if (kind === 'deployment' || kind === 'statefulset' || kind === 'daemonset') return 'applying it restarts the pods.';
  return 'pods that start later have it.';
}

/** A value from the cluster, for a terminal. */
function printable(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}

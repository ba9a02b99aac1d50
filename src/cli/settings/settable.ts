/** A flag that can have a default of the user's own. */
export interface Setting {
  /** As the file has it: `namespace`, or `capture.output` for one command's alone. */
  readonly name: string;
  /** The commands it is for; undefined: every command that has the flag. */
  readonly command: string | undefined;
  /** The flag's long name, without dashes. */
  readonly flag: string;
  readonly type: 'text' | 'switch' | 'list';
}

const everywhere = (flag: string, type: Setting['type'] = 'text'): Setting => ({
  name: flag,
  command: undefined,
  flag,
  type,
});
const only = (command: string, flags: readonly string[], type: Setting['type'] = 'text'): Setting[] =>
  flags.map((flag) => ({ name: `${command}.${flag}`, command, flag, type }));

/** Options that the file and the environment may set: none that belongs to a single run, such as the output file. */
export const SETTINGS: readonly Setting[] = [
  everywhere('context'),
  everywhere('kubeconfig'),
  everywhere('namespace'),
  everywhere('show-secrets', 'switch'),
  everywhere('utc', 'switch'),
  ...only('capture', [
    'output',
    'interface',
    'filter',
    'where',
    'snaplen',
    'duration',
    'max-bytes',
    'max-targets',
    'transport',
    'agentless-image',
    'agentless-program',
    'agent-image',
  ]),
  ...only('capture', ['quiet', 'verbose'], 'switch'),
  ...only('read', ['output', 'where']),
  ...only('install', ['image', 'overlay', 'timeout']),
  ...only('install', ['pull-secret'], 'list'),
];

/** `capture.max-bytes` is `KSNOOP_CAPTURE_MAX_BYTES` in the environment. */
export function variableOf({ name }: Setting): string {
  return `KSNOOP_${name.replace(/[.-]/g, '_').toUpperCase()}`;
}

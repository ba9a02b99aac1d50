import { parseArgs } from 'node:util';

/** What Wireshark calls an extcap program with (Wireshark's extcap.h), and the fields of our dialog. */
export interface ExtcapArguments {
  readonly task: 'interfaces' | 'dlts' | 'config' | 'reload' | 'capture' | 'filter' | undefined;
  readonly interface: string | undefined;
  /** Of `reload`: the field, without its dashes. */
  readonly field: string;
  readonly fifo: string | undefined;
  /** What stands in Wireshark's own line for a capture filter. */
  readonly captureFilter: string | undefined;
  /** FIFOs of the toolbar: Wireshark writes to the first and reads the second. */
  readonly controlIn: string | undefined;
  readonly controlOut: string | undefined;
  readonly fields: DialogFields;
}

/** What the user chose; what was left empty is not there. Their names are those of ksnoop's flags. */
export type DialogFields = { readonly [name in FieldName]?: string };

export const FIELD_NAMES = [
  'kubeconfig',
  'context',
  'namespace',
  'target',
  'targets',
  'container',
  'interface',
  'filter',
  'snaplen',
] as const;
export type FieldName = (typeof FIELD_NAMES)[number];

const TASKS = [
  ['extcap-interfaces', 'interfaces'],
  ['extcap-dlts', 'dlts'],
  ['extcap-config', 'config'],
  ['capture', 'capture'],
] as const;

/** Reads the command line. Unknown options are skipped: later versions of Wireshark may add some. */
export function extcapArguments(argv: readonly string[]): ExtcapArguments {
  const { values } = parseArgs({
    args: [...argv],
    strict: false,
    options: {
      ...Object.fromEntries(TASKS.map(([flag]) => [flag, { type: 'boolean' as const }])),
      ...Object.fromEntries(FIELD_NAMES.map((name) => [name, { type: 'string' as const }])),
      'extcap-version': { type: 'string' },
      'extcap-interface': { type: 'string' },
      'extcap-reload-option': { type: 'string' },
      'extcap-capture-filter': { type: 'string' },
      'extcap-control-in': { type: 'string' },
      'extcap-control-out': { type: 'string' },
      fifo: { type: 'string' },
    },
  });
  const text = (name: string) => {
    const value = values[name];
    return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
  };
  const reload = text('extcap-reload-option');
  const asked = TASKS.find(([flag]) => values[flag] === true)?.[1];
  const captureFilter = text('extcap-capture-filter');
  return {
    // A filter without anything to do is a question whether it is right.
    task:
      asked === 'config' && reload !== undefined
        ? 'reload'
        : (asked ?? (captureFilter === undefined ? asked : 'filter')),
    interface: text('extcap-interface'),
    field: (reload ?? '').replace(/^-+/, ''),
    fifo: text('fifo'),
    captureFilter,
    controlIn: text('extcap-control-in'),
    controlOut: text('extcap-control-out'),
    fields: Object.fromEntries(FIELD_NAMES.flatMap((name) => (text(name) === undefined ? [] : [[name, text(name)]]))),
  };
}

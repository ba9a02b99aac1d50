import { SNAPLEN_DEFAULT, SNAPLEN_MAXIMUM } from '../../wire/limits.ts';
import type { FieldName } from './arguments.ts';
import { isSayable, sentence } from './sentence.ts';

/** One choice of a list. */
export interface Choice {
  readonly value: string;
  readonly display: string;
  readonly chosen?: boolean;
}

interface Field {
  readonly name: FieldName;
  readonly display: string;
  readonly tooltip: string;
  readonly type: 'selector' | 'string' | 'unsigned' | 'fileselect';
  /** The words on the button that asks the cluster. */
  readonly reload?: string;
  readonly more?: Readonly<Record<string, string | boolean | number>>;
}

// A list in which one can type as well (editselector) is unknown to Wireshark before 4.2, and Wireshark does not pass its version.
const FIELDS: readonly Field[] = [
  {
    name: 'target',
    display: 'Target',
    tooltip: 'What is captured. The button fills the list with what is in the namespace.',
    type: 'selector',
    reload: 'Ask the cluster',
    more: { group: 'Target' },
  },
  {
    name: 'targets',
    display: 'More targets',
    tooltip: 'Typed, as KIND/NAME, with spaces between: pod/web-1 pod/web-2',
    type: 'string',
    more: { placeholder: 'pod/web-1 pod/web-2', group: 'Target' },
  },
  {
    name: 'namespace',
    display: 'Namespace',
    tooltip: 'Where the target is. Empty: the namespace of the context.',
    type: 'selector',
    reload: 'Ask the cluster',
    more: { group: 'Target' },
  },
  {
    name: 'context',
    display: 'Context',
    tooltip: 'Which cluster: a context of the kubeconfig.',
    type: 'selector',
    reload: 'Read the kubeconfig',
    more: { group: 'Target' },
  },
  {
    name: 'kubeconfig',
    display: 'Kubeconfig',
    tooltip: 'Empty: KUBECONFIG, or ~/.kube/config.',
    type: 'fileselect',
    more: { mustexist: true, group: 'Target' },
  },
  {
    name: 'container',
    display: 'Container',
    tooltip: 'Only the ports this container declares. Empty: everything; containers of a pod share its network.',
    type: 'selector',
    reload: 'Ask the cluster',
    more: { group: 'Packets' },
  },
  {
    name: 'interface',
    display: 'Interface of the pod',
    tooltip: 'In the network namespace of the target: any, eth0, lo.',
    type: 'string',
    more: { default: 'any', group: 'Packets' },
  },
  {
    name: 'filter',
    display: 'Capture filter',
    tooltip: 'In the language of pcap-filter(7): tcp port 80. Packets that do not pass never leave the node.',
    type: 'string',
    more: { placeholder: 'tcp port 80', group: 'Packets' },
  },
  {
    name: 'snaplen',
    display: 'Bytes of each packet',
    tooltip: `Longer packets are cut. 0: ${SNAPLEN_DEFAULT}.`,
    type: 'unsigned',
    more: { range: `0,${SNAPLEN_MAXIMUM}`, default: 0, group: 'Packets' },
  },
];

/** The answer to `--extcap-config`: every field, and the choices of those that are lists. */
export function dialog(choices: ReadonlyMap<FieldName, readonly Choice[]>): string[] {
  const fields = FIELDS.map(({ name, display, tooltip, type, reload, more }, number) =>
    sentence('arg', {
      number,
      call: `--${name}`,
      display,
      tooltip,
      type,
      ...(reload !== undefined && { reload: true, placeholder: reload }),
      ...more,
    }),
  );
  return [...fields, ...FIELDS.flatMap(({ name }) => choiceSentences(name, choices.get(name) ?? []))];
}

/** The answer to `--extcap-reload-option`: the choices of one field. */
export function choiceSentences(name: FieldName, choices: readonly Choice[]): string[] {
  const arg = FIELDS.findIndex((field) => field.name === name);
  return choices
    .filter(({ value }) => isSayable(value))
    .map(({ value, display, chosen }) => sentence('value', { arg, value, display, ...(chosen && { default: true }) }));
}

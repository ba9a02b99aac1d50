/** What to do instead of flags that other tools have: kubectl, stern, tcpdump and tshark. */
const INSTEAD: Readonly<Record<string, string>> = {
  '--color': 'Colours are used on a terminal: FORCE_COLOR=1 turns them on elsewhere, NO_COLOR=1 turns them off.',
  '--since': 'A live capture starts now. The last two minutes of a capture file: ksnoop read FILE --since 2m',
  '--tail': 'The last ten seconds of a capture file: ksnoop read FILE --since 10s',
  '--follow': 'A live capture always follows its targets. To follow a growing capture file: ksnoop read FILE --follow',
  '--from': 'Only for capture files: ksnoop read FILE --from TIME',
  '--to': 'Only for capture files: ksnoop read FILE --to TIME. A live capture ends after --duration',
  '--pod': 'Write a pod as pod/NAME.',
  '-n': 'This command uses no cluster. To choose a namespace in a capture file: --where \'dst.namespace == "NAME"\'',
  '-c': 'To choose a pod in a capture file: --where \'dst.pod == "NAME"\'; to choose packets: --from, --to',
  '--count': 'A live capture ends after --count packets. Of a capture file choose packets with --from, --to or -f',
  '--duration': 'A live capture ends after --duration. Of a capture file choose a time with --from and --to',
  '--body': 'Only for capture files: ksnoop read FILE --body',
  '--wireshark': 'A live capture in Wireshark: ksnoop pod/NAME --wireshark; a capture file: wireshark FILE',
  '-r': 'To read a capture file: ksnoop read FILE',
  '-Y': 'Choose what is shown with --where; ksnoop help filters',
  '-X': 'To see bytes, use Wireshark: --wireshark, or -w FILE',
  '-D': 'All interfaces of a pod are captured unless -i names one.',
};

const SAME: Readonly<Record<string, string>> = {
  '--colour': '--color',
  '--colors': '--color',
  '--no-color': '--color',
  '--no-colour': '--color',
  '--since-time': '--since',
  '--until': '--to',
  '--namespace': '-n',
  '--container': '-c',
  '--read': '-r',
  '--pods': '--pod',
};

/**
 * Outputs that are taken for flags (`--summary`) or commands (`ksnoop summary FILE`). Not from their table: this file is
 * loaded by every command.
 */
export const OUTPUT_WORDS: ReadonlySet<string> = new Set([
  'text',
  'json',
  'summary',
  'findings',
  'flows',
  'packets',
  'html',
  'map',
  'csv',
  'har',
  'curl',
  'state',
  'jsonpath',
  'template',
]);

/** What is missing behind a flag, by example. */
const VALUES: Readonly<Record<string, string>> = {
  '--write': 'For example: -w incident.pcapng',
  '--filter': "For example: -f 'tcp port 80'. A capture follows its targets without a flag.",
  '--selector': 'For example: -l app=web',
  '--namespace': 'For example: -n shop',
};

/** An error of the command line's parser as ksnoop writes its own, with what to do where the flag is one of another tool. */
export function withHint(error: string): string {
  const text = error.replace(/^error: /, 'ksnoop: ');
  const unknown = /unknown option '(--?[\w-]+)/.exec(text)?.[1];
  const bare = /option '(?:-\w, )?(--[\w-]+)[^']*' argument missing/.exec(text)?.[1];
  const hint = unknown === undefined ? VALUES[bare ?? ''] : hintFor(unknown);
  // A suggestion of a flag with a similar name would lead astray.
  return hint === undefined ? text : `${text.split('\n')[0]}. ${hint}\n`;
}

function hintFor(flag: string): string | undefined {
  const word = flag.slice(2);
  return OUTPUT_WORDS.has(word) ? `Write -o ${word}` : INSTEAD[SAME[flag] ?? flag];
}

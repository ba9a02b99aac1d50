/** What to do instead of flags that other tools have: kubectl, stern, tcpdump and tshark. */
const INSTEAD: Readonly<Record<string, string>> = {
  '--color': 'Colours follow the terminal: FORCE_COLOR=1 turns them on, NO_COLOR=1 turns them off.',
  '--since': 'A capture begins now. The last two minutes of a file: ksnoop read FILE --since 2m',
  '--tail': 'A capture begins now. The last ten seconds of a file: ksnoop read FILE --since 10s',
  '--follow': 'A capture follows its targets by itself. A file that grows: ksnoop read FILE --follow',
  '--from': 'A capture begins now. Of a file: ksnoop read FILE --from TIME',
  '--to': 'A capture begins now. Of a file: ksnoop read FILE --to TIME',
  '--pod': 'Write a pod as pod/NAME.',
  '-r': 'A file is read by: ksnoop read FILE',
  '-Y': 'Choose what is shown with --where; ksnoop help filters',
  '-X': 'Bytes are shown by Wireshark: --wireshark, or -w FILE',
  '-D': 'The interfaces of a pod are all captured unless -i names one.',
};

const SAME: Readonly<Record<string, string>> = {
  '--colour': '--color',
  '--colors': '--color',
  '--no-color': '--color',
  '--no-colour': '--color',
  '--since-time': '--since',
  '--until': '--to',
  '--read': '-r',
  '--pods': '--pod',
};

/** What is missing behind a flag, by example. */
const VALUES: Readonly<Record<string, string>> = {
  '--write': 'For example: -w incident.pcapng',
  '--filter': "For example: -f 'tcp port 80'. A capture follows its targets without a flag.",
  '--selector': 'For example: -l app=web',
  '--namespace': 'For example: -n shop',
};

/** An error of the command line's parser, with what to do where the flag is one of another tool. */
export function withHint(text: string): string {
  const unknown = /unknown option '(--?[\w-]+)/.exec(text)?.[1];
  const bare = /option '(?:-\w, )?(--[\w-]+)[^']*' argument missing/.exec(text)?.[1];
  const hint = unknown === undefined ? VALUES[bare ?? ''] : INSTEAD[SAME[unknown] ?? unknown];
  // A suggestion of a flag with a similar name would lead astray.
  return hint === undefined ? text : `${text.split('\n')[0]}. ${hint}\n`;
}

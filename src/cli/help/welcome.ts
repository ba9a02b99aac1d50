import type { Command } from 'commander';
import { Colours, wantsColour } from '../../view/colour.ts';
import { TOPICS } from './index.ts';

/** What is done most. */
const FIRST: readonly (readonly [command: string, meaning: string])[] = [
  ['svc/web -n shop', 'requests and responses of a Service, line by line'],
  ['pod/web-1 --wireshark', 'a pod in Wireshark'],
  ['deploy/web -w web.pcapng', 'the packets of a workload in a file'],
  ['read web.pcapng -o summary', 'a file: services, errors, latencies'],
];

/** What `ksnoop` alone prints on a terminal. */
export function welcome(ksnoop: Command): string {
  const colours = new Colours(wantsColour(process.stdout, process.env));
  const name = ksnoop.name();
  const width = Math.max(...FIRST.map(([command]) => command.length)) + name.length + 1;
  const lines = FIRST.map(([command, meaning]) => `  ${`${name} ${command}`.padEnd(width)}  ${colours.aside(meaning)}`);
  return [
    ksnoop.description(),
    '',
    ...lines,
    '',
    `More: ${name} --help, ${name} help ${TOPICS.map((topic) => topic.name).join('|')}; not installed yet: ${name} install --help`,
    '',
  ].join('\n');
}

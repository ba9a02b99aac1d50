import type { Command } from 'commander';
import {
  addPacketFlags,
  addTargetFlags,
  addTransportFlags,
  CLOCK_FLAG,
  EDGE_FLAG,
  KEYLOG_FLAG,
  SECRETS_FLAG,
  WHERE_FLAG,
} from '../capture/flags.ts';
import { addExamples } from '../examples.ts';
import { addVerbosityFlags } from '../flags.ts';
import type { RawTopOptions } from './options.ts';

/** `ksnoop top`: the screen. */
export function addTopCommand(ksnoop: Command, setExit: (code: number) => void): void {
  const top = ksnoop
    .command('top')
    .description('live dashboard of services, requests, flows and DNS; also of a capture file')
    .argument('[targets...]', 'KIND/NAME ... as capture takes them, or one FILE; - for a capture through stdin');
  addTargetFlags(top);
  addPacketFlags(top)
    .option(...CLOCK_FLAG)
    .option(...EDGE_FLAG);
  top
    .option('--view <NAME>', 'the first view (default: services)')
    .option(...WHERE_FLAG)
    .option(...SECRETS_FLAG)
    .option(...KEYLOG_FLAG);
  addTransportFlags(top);
  addVerbosityFlags(top).action(async (words: string[], options: RawTopOptions) => {
    const { topCommand } = await import('./command.ts');
    setExit(await topCommand(words, options));
  });
  addExamples(top, [
    ['top svc/web -n shop', 'what happens now'],
    ['top incident.pcapng --view dns', 'a capture file, beginning with its DNS queries'],
  ]);
}

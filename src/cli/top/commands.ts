import type { Command } from 'commander';
import { addPacketFlags, addTargetFlags, addTransportFlags, CLOCK_FLAG } from '../capture/flags.ts';
import type { RawTopOptions } from './options.ts';

/** `ksnoop top`: the screen. */
export function addTopCommand(ksnoop: Command, setExit: (code: number) => void): void {
  const top = ksnoop
    .command('top')
    .description('a screen of what is said to whom, live or of a capture file')
    .argument('[targets...]', 'KIND/NAME ... as capture takes them, or one FILE; - for a capture through stdin');
  addTargetFlags(top);
  addPacketFlags(top).option(...CLOCK_FLAG);
  addTransportFlags(
    top
      .option('--view <NAME>', 'the view to begin with (default: services)')
      .option('--where <EXPR>', 'show only what matches: http.status >= 500 && dst.service == "web"')
      .option('--show-secrets', 'show what is masked: passwords, cookies, Authorization'),
  )
    .option('-q, --quiet', 'say nothing but errors and the closing summary')
    .option('-v, --verbose', 'say more')
    .action(async (words: string[], options: RawTopOptions) => {
      const { topCommand } = await import('./command.ts');
      setExit(await topCommand(words, options));
    });
}

import type { Command } from 'commander';
import { addExamples } from '../examples.ts';
import type { RawExtcapOptions } from './install.ts';

/** `ksnoop extcap`: ksnoop in Wireshark's list of interfaces. */
export function addExtcapCommands(ksnoop: Command, setExit: (code: number) => void): void {
  const extcap = ksnoop.command('extcap').description("put ksnoop in Wireshark's list of interfaces");
  const onDirectory = (command: Command) =>
    command
      .option('--directory <DIRECTORY>', "directory to write to, instead of Wireshark's own")
      .option('-q, --quiet', 'print only errors');
  onDirectory(extcap.command('install').description('write the program where Wireshark looks')).action(
    async (options: RawExtcapOptions) => {
      const { installExtcap } = await import('./install.ts');
      setExit(installExtcap(options));
    },
  );
  onDirectory(extcap.command('uninstall').description('remove it')).action(async (options: RawExtcapOptions) => {
    const { uninstallExtcap } = await import('./install.ts');
    setExit(uninstallExtcap(options));
  });
  extcap
    .command('run', { hidden: true })
    .description('run by Wireshark')
    .argument('[arguments...]')
    .helpOption(false)
    .allowUnknownOption()
    .action(async (words: string[]) => {
      const { extcapProgram } = await import('./program.ts');
      setExit(await extcapProgram(words));
    });
  addExamples(extcap, [
    ['extcap install', 'the interface "ksnoop" in Wireshark, for every target of the cluster'],
    ['extcap uninstall', 'remove it'],
  ]);
}

import type { Command } from 'commander';
import type { RawExtcapOptions } from './install.ts';

/** `ksnoop extcap`: ksnoop in Wireshark's list of interfaces. */
export function addExtcapCommands(ksnoop: Command, setExit: (code: number) => void): void {
  const extcap = ksnoop.command('extcap').description("put ksnoop in Wireshark's list of interfaces");
  const onFolder = (command: Command) =>
    command
      .option('--folder <FOLDER>', 'where to, instead of where Wireshark looks')
      .option('-q, --quiet', 'say nothing but errors');
  onFolder(extcap.command('install').description('write the program where Wireshark looks')).action(
    async (options: RawExtcapOptions) => {
      const { installExtcap } = await import('./install.ts');
      setExit(installExtcap(options));
    },
  );
  onFolder(extcap.command('uninstall').description('take it away again')).action(async (options: RawExtcapOptions) => {
    const { uninstallExtcap } = await import('./install.ts');
    setExit(uninstallExtcap(options));
  });
  extcap
    .command('run', { hidden: true })
    .description('what Wireshark calls')
    .argument('[arguments...]')
    .helpOption(false)
    .allowUnknownOption()
    .action(async (words: string[]) => {
      const { extcapProgram } = await import('./program.ts');
      setExit(await extcapProgram(words));
    });
}

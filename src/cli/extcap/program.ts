import { EXIT, type ExitCode, KsnoopError } from '../../wire/errors.ts';
import { VERSION } from '../../wire/version.ts';
import { reportError } from '../logger.ts';
import { type ExtcapArguments, extcapArguments, FIELD_NAMES, type FieldName } from './arguments.ts';
import { CONTROL } from './control.ts';
import { sentence } from './sentence.ts';

/** The one interface we give Wireshark. */
const INTERFACE = 'ksnoop';

/** The link type of Linux's `any`, version 2: what most of our streams carry. */
const LINKTYPE_LINUX_SLL2 = 276;

/** Answers Wireshark's questions, line by line on stdout; errors go to stderr, as extcap(4) has it. */
export async function extcapProgram(argv: readonly string[]): Promise<ExitCode> {
  const asked = extcapArguments(argv);
  const print = (lines: readonly string[]) => void process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  const complain = (line: string) => void process.stderr.write(`${line}\n`);
  if (asked.task !== undefined && asked.task !== 'interfaces' && asked.interface !== INTERFACE) {
    complain(`ksnoop has one interface, ${INTERFACE}; "${asked.interface ?? ''}" is another.`);
    return EXIT.usage;
  }
  try {
    switch (asked.task) {
      case 'interfaces':
        print(interfaces());
        return EXIT.done;
      case 'dlts':
        // The stream is pcapng, in which every interface has its own link type; this one is what a menu can show.
        print([
          sentence('dlt', {
            number: LINKTYPE_LINUX_SLL2,
            name: 'LINUX_SLL2',
            display: 'as the interface has it (pcapng)',
          }),
        ]);
        return EXIT.done;
      case 'config': {
        const [{ dialog }, { offlineChoices }] = await Promise.all([import('./dialog.ts'), import('./choices.ts')]);
        print(dialog(offlineChoices(asked.fields)));
        return EXIT.done;
      }
      case 'reload':
        return await reload(asked, print);
      case 'filter':
        print(await filterTrouble(asked.captureFilter ?? ''));
        return EXIT.done;
      case 'capture': {
        const { extcapCapture } = await import('./capture.ts');
        return await extcapCapture(asked, complain);
      }
      default:
        complain('This command is for Wireshark. Install it there: ksnoop extcap install');
        return EXIT.usage;
    }
  } catch (thrown) {
    return reportError(thrown, complain);
  }
}

function interfaces(): string[] {
  return [
    sentence('extcap', { version: VERSION, display: 'ksnoop: Kubernetes' }),
    sentence('interface', { value: INTERFACE, display: 'Kubernetes pods (ksnoop)' }),
    sentence('control', {
      number: CONTROL.pause,
      type: 'button',
      role: 'control',
      display: 'Pause',
      tooltip: 'Hold packets back until the capture is resumed',
    }),
    sentence('control', {
      number: CONTROL.log,
      type: 'button',
      role: 'logger',
      display: 'Log',
      tooltip: 'Messages about this capture, with the count of lost packets',
    }),
  ];
}

async function reload(
  { field, fields }: ExtcapArguments,
  print: (lines: readonly string[]) => void,
): Promise<ExitCode> {
  const name = FIELD_NAMES.find((known): known is FieldName => known === field);
  if (name === undefined) {
    throw new KsnoopError('USAGE', `The dialog has no field "${field}".`, { exit: EXIT.usage });
  }
  const [{ choiceSentences }, { freshChoices }, { remember }] = await Promise.all([
    import('./dialog.ts'),
    import('./choices.ts'),
    import('./remembered.ts'),
  ]);
  const choices = await freshChoices(name, fields);
  remember(name, choices);
  print(choiceSentences(name, choices));
  return EXIT.done;
}

/**
 * What Wireshark shows when a capture filter is wrong; nothing when it is right. The node compiles it again for the
 * link type it has.
 */
async function filterTrouble(filter: string): Promise<string[]> {
  const { compileFilter } = await import('../../run/convert/bpf-filter.ts');
  try {
    compileFilter(filter, LINKTYPE_LINUX_SLL2);
    return [];
  } catch (thrown) {
    // Without a tcpdump on this machine it cannot be checked here; the node checks it.
    if (thrown instanceof KsnoopError && thrown.code === 'BAD_FILTER') return [thrown.message];
    return [];
  }
}

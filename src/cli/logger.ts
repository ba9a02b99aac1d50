import { sanitise } from '../view/sanitise.ts';
import { EXIT, type ExitCode, KsnoopError, messageOf } from '../wire/errors.ts';

/** How much is said on stderr: errors and the summary always, the rest as the user wants it. */
export interface Voice {
  /** Progress, unless -q. */
  say(line: string): void;
  /** Details, with -v. */
  detail(line: string): void;
  /** Always: warnings, errors, the closing summary. */
  tell(line: string): void;
}

export function voice(options: { quiet: boolean; verbose: boolean }): Voice {
  // A reader of stderr that goes away (`2> >(head -1)`) must not end a capture.
  if (process.stderr.listenerCount('error') === 0) process.stderr.on('error', () => {});
  const tell = (line: string) => void process.stderr.write(`ksnoop: ${printable(line)}\n`);
  const silent = () => {};
  return { tell, say: options.quiet ? silent : tell, detail: options.verbose ? tell : silent };
}

/** Text from the cluster, agents and files may carry control characters; a terminal must not obey them. */
function printable(text: string): string {
  return text.trimEnd().split(/\r?\n/).map(sanitise).join('\n');
}

/** An error as a person reads it: what happened, then what to do next. @returns the exit code it stands for */
export function tellError(thrown: unknown, tell: (line: string) => void): ExitCode {
  if (!(thrown instanceof KsnoopError)) {
    tell(`something unforeseen happened: ${messageOf(thrown)}`);
    if (thrown instanceof Error && process.env.KSNOOP_DEBUG) tell(thrown.stack ?? '');
    return EXIT.failed;
  }
  tell(`${thrown.message}${thrown.hint === undefined ? '' : ` ${thrown.hint}`} [${thrown.code}]`);
  return thrown.exit;
}

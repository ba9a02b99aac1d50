import { sanitise } from '../view/sanitise.ts';
import { EXIT, type ExitCode, KsnoopError, messageOf } from '../wire/errors.ts';

/** What is printed on stderr: warnings, errors and the summary always, the rest by -q and -v. */
export interface Logger {
  /** Progress, unless -q. */
  info(line: string): void;
  /** Details, with -v. */
  debug(line: string): void;
  /** Always: warnings, errors, the closing summary. */
  warn(line: string): void;
}

export function logger(options: { quiet: boolean; verbose: boolean }): Logger {
  const warn = (line: string) => {
    // A reader of stderr that goes away (`2> >(head -1)`) must not end a capture. To ask for the stream makes it: 2 ms.
    if (process.stderr.listenerCount('error') === 0) process.stderr.on('error', () => {});
    process.stderr.write(`ksnoop: ${printable(line)}\n`);
  };
  const silent = () => {};
  return { warn, info: options.quiet ? silent : warn, debug: options.verbose ? warn : silent };
}

/** Text from the cluster, agents and files may carry control characters; a terminal must not obey them. */
function printable(text: string): string {
  return text.trimEnd().split(/\r?\n/).map(sanitise).join('\n');
}

/** An error as a person reads it: what happened, then what to do next. @returns the exit code it stands for */
export function reportError(thrown: unknown, warn: (line: string) => void): ExitCode {
  if (!(thrown instanceof KsnoopError)) {
    warn(`unexpected error: ${messageOf(thrown)}`);
    if (thrown instanceof Error && process.env.KSNOOP_DEBUG) warn(thrown.stack ?? '');
    return EXIT.failed;
  }
  warn(`${thrown.message}${thrown.hint === undefined ? '' : ` ${thrown.hint}`} [${thrown.code}]`);
  return thrown.exit;
}

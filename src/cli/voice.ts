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
  const tell = (line: string) => void process.stderr.write(`ksnoop: ${printable(line)}\n`);
  const silent = () => {};
  return { tell, say: options.quiet ? silent : tell, detail: options.verbose ? tell : silent };
}

/** Text from the cluster, agents and files may carry control characters; a terminal must not see them. */
function printable(line: string): string {
  return line.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
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

/** The exit codes every ksnoop command ends with (see README, "Exit codes"). */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  noTarget: 3,
  partial: 4,
  truncated: 5,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/**
 * An error a person is meant to read. `code` is stable (scripts may match it), the message is one sentence that says what
 * happened to what, `hint` one that says what to do next, `exit` the code the process ends with because of it.
 */
export class KsnoopError extends Error {
  override readonly name = 'KsnoopError';
  readonly code: string;
  readonly hint: string | undefined;
  readonly exit: ExitCode;

  constructor(
    code: string,
    message: string,
    options: { hint?: string | undefined; exit?: ExitCode | undefined; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.exit = options.exit ?? EXIT.failed;
  }
}

/** Whatever was thrown, as one line of words. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The `code` of a Node system error such as `EPIPE` or `ENOENT`; undefined for anything else. */
export function systemCode(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}

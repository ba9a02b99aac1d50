/** What went wrong with the test cluster: one sentence, and what to do about it. */
export class ClusterError extends Error {
  override readonly name = 'ClusterError';
  readonly hint: string | undefined;

  constructor(message: string, { hint, cause }: { readonly hint?: string; readonly cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.hint = hint;
  }
}

import { usage } from './usage.ts';

/** @throws KsnoopError USAGE (exit 2) where `--report` names no file, or the same file as `-w` or as the output itself */
export function checkReport(
  { report, write }: { readonly report?: string; readonly write?: string },
  output: string,
): void {
  if (report === undefined) return;
  if (report === '' || report === '-') throw usage('--report takes the name of a file.', 'On stdout: -o html');
  if (report === write) throw usage('--report and -w name the same file.');
  if (output === 'html') throw usage('--report writes the same as -o html.', 'Use one of them.');
}

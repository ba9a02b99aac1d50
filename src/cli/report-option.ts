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

/** @throws KsnoopError USAGE (exit 2) where the page would be printed on a terminal */
export function checkPage(output: string, toTerminal: boolean): void {
  if (output !== 'html' || !toTerminal) return;
  throw usage(
    'The html output is a page for a browser, and stdout is a terminal.',
    'Send it to a file: > report.html, or use --report report.html',
  );
}

import type { FormArgument } from '../run/analysis/form.ts';
import { usage } from './usage.ts';

/** What `-o` takes: the name of a form, and what it is given: `map=dot`. */
export interface ChosenOutput {
  readonly name: string;
  readonly argument: string | undefined;
}

/**
 * @param text of `-o`
 * @param format of `--format`, the same as an argument
 * @throws KsnoopError USAGE (exit 2) where both are there
 */
export function chosenOutput(text: string, format: string | undefined): ChosenOutput {
  const at = text.indexOf('=');
  if (at < 0) return { name: text, argument: format };
  if (format !== undefined) throw usage(`-o ${text} and --format exclude each other.`);
  return { name: text.slice(0, at), argument: text.slice(at + 1) };
}

/**
 * @param json `--json`
 * @throws KsnoopError USAGE (exit 2) for an argument that the form does not take, or lacks, or that is another format than --json
 */
export function checkArgument(
  { name, argument: takes }: { readonly name: string; readonly argument?: FormArgument | undefined },
  argument: string | undefined,
  json = false,
): void {
  if (argument === undefined) {
    if (takes?.required === true) throw usage(`-o ${name} needs a value: -o ${name}=${takes.name}`);
    return;
  }
  if (takes === undefined) throw usage(`The ${name} output takes no format ("${argument}").`);
  if (takes.values?.includes(argument) === false || argument === '') {
    const hint = takes.values === undefined ? `-o ${name}=${takes.name}` : `There are: ${takes.values.join(', ')}.`;
    throw usage(`-o ${name} does not take "${argument}".`, hint);
  }
  if (json && argument !== 'json' && takes.values?.includes('json') === true)
    throw usage(`--json and the format "${argument}" exclude each other.`);
}

/**
 * Bytes are shown as they were sent, secrets too: nothing in them can be masked.
 * @throws KsnoopError USAGE (exit 2) for the bytes of a flow without `--show-secrets`
 */
export function checkBytesShown({ name, argument = '' }: ChosenOutput, showSecrets = false): void {
  const form = name === 'stream' ? /,(hex|raw)$/.exec(argument)?.[1] : undefined;
  if (form === undefined || showSecrets) return;
  throw usage(
    `The bytes of a flow are shown as they were sent, so secrets in them are not masked (${form}).`,
    `Add --show-secrets, or leave out ${form}: what is decoded of the flow is shown with its secrets masked.`,
  );
}

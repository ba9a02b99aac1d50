import { usage } from '../usage.ts';

/** The name in `capture/NAME`. @throws KsnoopError USAGE (exit 2) */
export function captureName(word: string): string {
  const [, name] = /^(?:capture|captures|cap)\/([a-z0-9]([a-z0-9.-]*[a-z0-9])?)$/.exec(word) ?? [];
  if (name !== undefined) return name;
  throw usage(`"${word}" is not a Capture.`, 'Write capture/NAME; list them: ksnoop captures');
}

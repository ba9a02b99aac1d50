import { sanitise } from '../sanitise.ts';

/** A value of a record for people: a text as it is, an object as JSON; nothing in it is obeyed by a terminal. */
export function valueText(value: unknown): string {
  return sanitise(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
}

/** A literal of a template: `"\n"`, `"\t"`, as JSON writes it. @returns undefined where it is none */
export function literalText(text: string): string | undefined {
  if (!/^"(?:[^"\\\n]|\\.)*"$/.test(text)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

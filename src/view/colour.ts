import { styleText } from 'node:util';

/** Red is left out, it reads as an error. */
const PALETTE = [
  'cyan',
  'green',
  'yellow',
  'magenta',
  'blue',
  'cyanBright',
  'greenBright',
  'yellowBright',
  'magentaBright',
  'blueBright',
] as const;

/**
 * Whether output to this stream is to be coloured: FORCE_COLOR decides (`0` is no), then NO_COLOR (no-color.org) forbids it,
 * else a terminal that can.
 */
export function wantsColour(stream: { readonly isTTY?: boolean | undefined }, environment: NodeJS.ProcessEnv): boolean {
  const forced = environment.FORCE_COLOR;
  if (forced !== undefined && forced !== '') return forced !== '0' && forced !== 'false';
  const refused = environment.NO_COLOR;
  if (refused !== undefined && refused !== '') return false;
  return stream.isTTY === true && environment.TERM !== 'dumb';
}

/** Paints texts for a terminal. A label has the same colour in every run: it follows from the label alone. */
export class Colours {
  readonly #enabled: boolean;

  /** @param enabled result of `wantsColour`; without it texts come back unchanged */
  constructor(enabled: boolean) {
    this.#enabled = enabled;
  }

  /** A pod's label, in its colour. @param text what is shown of it, sanitised */
  label(key: string, text = key): string {
    return this.#enabled ? styleText(colourOf(key), text, { validateStream: false }) : text;
  }

  /** Something that went wrong. */
  failure(text: string): string {
    return this.#enabled && text !== '' ? styleText('red', text, { validateStream: false }) : text;
  }

  /** A heading. */
  heading(text: string): string {
    return this.#enabled ? styleText('bold', text, { validateStream: false }) : text;
  }

  /** A remark of ksnoop's, not of the packet. */
  aside(text: string): string {
    return this.#enabled ? styleText('dim', text, { validateStream: false }) : text;
  }
}

/** By FNV-1a of the label. */
function colourOf(key: string): (typeof PALETTE)[number] {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at += 1) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  // The upper half is mixed best.
  return PALETTE[(hash >>> 16) % PALETTE.length] ?? 'cyan';
}

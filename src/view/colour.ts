import { styleText } from 'node:util';

/** Given out in the order labels appear; red is left out, it reads as an error. */
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
 * Whether output to this stream is to be coloured: FORCE_COLOR says so (or `0`, not), NO_COLOR (no-color.org) says not,
 * else a terminal that can.
 */
export function wantsColour(stream: { readonly isTTY?: boolean | undefined }, environment: NodeJS.ProcessEnv): boolean {
  const forced = environment.FORCE_COLOR;
  if (forced !== undefined && forced !== '') return forced !== '0' && forced !== 'false';
  const refused = environment.NO_COLOR;
  if (refused !== undefined && refused !== '') return false;
  return stream.isTTY === true && environment.TERM !== 'dumb';
}

/** Gives every label its colour, the same for as long as this lives. */
export class Colours {
  readonly #enabled: boolean;
  readonly #chosen = new Map<string, (typeof PALETTE)[number]>();

  /** @param enabled as `wantsColour` says; without it texts come back unchanged */
  constructor(enabled: boolean) {
    this.#enabled = enabled;
  }

  /** A pod's label, in its colour. @param text what is shown of it, sanitised */
  label(key: string, text = key): string {
    if (!this.#enabled) return text;
    let colour = this.#chosen.get(key);
    if (colour === undefined) {
      colour = PALETTE[this.#chosen.size % PALETTE.length] ?? 'cyan';
      this.#chosen.set(key, colour);
    }
    return styleText(colour, text, { validateStream: false });
  }

  /** Something that went wrong. */
  failure(text: string): string {
    return this.#enabled && text !== '' ? styleText('red', text, { validateStream: false }) : text;
  }

  /** A heading. */
  heading(text: string): string {
    return this.#enabled ? styleText('bold', text, { validateStream: false }) : text;
  }

  /** A remark that is not the packet's own words. */
  aside(text: string): string {
    return this.#enabled ? styleText('dim', text, { validateStream: false }) : text;
  }
}

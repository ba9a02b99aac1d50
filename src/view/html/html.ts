import { sanitise } from '../sanitise.ts';

/** A piece of HTML that is safe to be written as it is. Only `html` and `trusted` make one. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Value = string | number | Html | readonly Html[] | undefined;

/**
 * HTML with values in it: every text is escaped, for elements and for attributes in double quotes alike, and characters that
 * would change the page's direction or mean nothing are written out. Tags and attribute names come from the template alone.
 */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  let text = parts[0] ?? '';
  for (const [index, value] of values.entries()) text += textOf(value) + (parts[index + 1] ?? '');
  return new Html(text);
}

/** Text of ksnoop's own sources, such as its style sheet: never anything from the network. */
export function trusted(text: string): Html {
  return new Html(text);
}

export function joined(pieces: readonly Html[]): Html {
  return new Html(pieces.map(({ text }) => text).join(''));
}

function textOf(value: Value): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return escaped(value);
  return value instanceof Html ? value.text : joined(value).text;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** ASCII that needs no escape, as most texts are. */
const PLAIN = /^[\w !#$%()*+,\-./:;=?@[\]^{|}~]*$/;

function escaped(text: string): string {
  if (PLAIN.test(text)) return text;
  return sanitise(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

import { type Line, LOOK, line, span } from './line.ts';
import type { Key } from './view.ts';

/** Expressions kept for the up and down keys. */
const HISTORY = 50;
/** Characters of an expression. */
const LENGTH_MAXIMUM = 1000;

export type PromptEnd = 'accepted' | 'given up' | undefined;

/** The line that an expression is typed in. */
export class Prompt {
  text = '';
  /** What is wrong with what was typed last. */
  mistake: string | undefined;
  #cursor = 0;
  #history: string[] = [];
  #place = 0;

  /** @param text to begin with */
  open(text: string): void {
    this.#set(text);
    this.mistake = undefined;
    this.#place = this.#history.length;
  }

  /** @returns how it ended with this key; undefined when it did not */
  key({ name, text }: Key): PromptEnd {
    switch (name) {
      case 'enter':
        this.#remember();
        return 'accepted';
      case 'escape':
      case 'C-c':
        return 'given up';
      case 'backspace':
        if (this.text === '') return 'given up';
        this.#replace(this.#before(), this.#cursor, '');
        return undefined;
      case 'delete':
        this.#replace(this.#cursor, this.#cursor + 1, '');
        return undefined;
      case 'C-u':
        this.#replace(0, this.#cursor, '');
        return undefined;
      case 'C-w':
        this.#replace(this.text.slice(0, this.#cursor).replace(/\S+\s*$/, '').length, this.#cursor, '');
        return undefined;
      case 'left':
        this.#cursor = this.#before();
        return undefined;
      case 'right':
        this.#cursor = Math.min(this.text.length, this.#cursor + 1);
        return undefined;
      case 'home':
      case 'C-a':
        this.#cursor = 0;
        return undefined;
      case 'end':
      case 'C-e':
        this.#cursor = this.text.length;
        return undefined;
      case 'up':
        this.#recall(-1);
        return undefined;
      case 'down':
        this.#recall(1);
        return undefined;
    }
    if (text !== undefined && this.text.length + text.length <= LENGTH_MAXIMUM) {
      this.#replace(this.#cursor, this.#cursor, text);
    }
    return undefined;
  }

  /** Its line, and the one above it while something is wrong. @param width cells; the end of what is typed is seen */
  lines(width: number): readonly Line[] {
    const room = Math.max(1, width - 3);
    const from = Math.max(0, this.#cursor - room);
    const before = this.text.slice(from, this.#cursor);
    const at = this.text.slice(this.#cursor, this.#cursor + 1);
    const after = this.text.slice(this.#cursor + 1);
    const typed = line(span('/', LOOK.strong), span(before), span(at === '' ? ' ' : at, LOOK.bar), span(after));
    return this.mistake === undefined ? [typed] : [line(span(this.mistake, LOOK.failure)), typed];
  }

  #before(): number {
    return Math.max(0, this.#cursor - 1);
  }

  #set(text: string): void {
    this.text = text;
    this.#cursor = text.length;
  }

  #replace(from: number, to: number, by: string): void {
    this.text = this.text.slice(0, from) + by + this.text.slice(to);
    this.#cursor = from + by.length;
    this.mistake = undefined;
  }

  #remember(): void {
    if (this.text === '' || this.#history.at(-1) === this.text) return;
    this.#history.push(this.text);
    this.#history = this.#history.slice(-HISTORY);
  }

  #recall(by: -1 | 1): void {
    const place = this.#place + by;
    if (place < 0 || place > this.#history.length) return;
    this.#place = place;
    this.#set(this.#history[place] ?? '');
  }
}

import type { Line } from './line.ts';

/** Lines made when they are seen. */
export type LineSource = Line | (() => Line);

/** A text that is looked at like a page of less: no cursor, only what part of it is seen. */
export class Pane {
  #top = 0;
  #height = 1;
  #length = 0;

  /** The part that is seen. */
  lines(all: readonly LineSource[], height: number): readonly Line[] {
    this.#height = Math.max(1, height);
    this.#length = all.length;
    this.#top = Math.max(0, Math.min(this.#top, all.length - this.#height));
    return all.slice(this.#top, this.#top + height).map((each) => (typeof each === 'function' ? each() : each));
  }

  /** @returns whether it was a key of it */
  key(name: string): boolean {
    const to = this.#target(name);
    if (to === undefined) return false;
    this.#top = Math.max(0, Math.min(to, this.#length - this.#height));
    return true;
  }

  /** `1-38 of 120 lines`; undefined when all are seen. */
  get status(): string | undefined {
    if (this.#length <= this.#height) return undefined;
    return `${this.#top + 1}-${Math.min(this.#length, this.#top + this.#height)} of ${this.#length} lines`;
  }

  #target(name: string): number | undefined {
    switch (name) {
      case 'up':
      case 'k':
        return this.#top - 1;
      case 'down':
      case 'j':
        return this.#top + 1;
      case 'pageup':
      case 'C-b':
      case 'b':
        return this.#top - this.#height;
      case 'pagedown':
      case 'C-f':
      case ' ':
        return this.#top + this.#height;
      case 'g':
      case 'home':
        return 0;
      case 'G':
      case 'end':
        return this.#length;
    }
    return undefined;
  }
}

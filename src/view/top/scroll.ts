/** Where the cursor is in a list, and which part of it is seen. Costs nothing by the list's length. */
export class Scroll {
  /** The row the cursor is on. */
  cursor = 0;
  /** The first row that is seen. */
  top = 0;
  /** Rows seen when it was last drawn. */
  #height = 1;
  #length = 0;

  /** Fit to a list of `length` rows of which `height` are seen. */
  fit(length: number, height: number): void {
    this.#length = length;
    this.#height = Math.max(1, height);
    this.cursor = Math.max(0, Math.min(this.cursor, length - 1));
    if (this.cursor < this.top) this.top = this.cursor;
    if (this.cursor >= this.top + this.#height) this.top = this.cursor - this.#height + 1;
    this.top = Math.max(0, Math.min(this.top, length - this.#height));
  }

  /** The keys of less and k9s. @returns whether it was one */
  key(name: string): boolean {
    const to = this.#target(name);
    if (to === undefined) return false;
    this.cursor = Math.max(0, Math.min(to, this.#length - 1));
    return true;
  }

  #target(name: string): number | undefined {
    switch (name) {
      case 'up':
      case 'k':
        return this.cursor - 1;
      case 'down':
      case 'j':
        return this.cursor + 1;
      case 'pageup':
      case 'C-b':
      case 'b':
        return this.cursor - this.#height;
      case 'pagedown':
      case 'C-f':
      case ' ':
        return this.cursor + this.#height;
      case 'C-u':
        return this.cursor - (this.#height >> 1);
      case 'C-d':
        return this.cursor + (this.#height >> 1);
      case 'g':
      case 'home':
        return 0;
      case 'G':
      case 'end':
        return this.#length - 1;
    }
    return undefined;
  }
}

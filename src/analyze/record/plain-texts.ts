import { NumberShapes } from './number-shapes.ts';

/**
 * Texts in which nothing is masked, by their shape: which number is a whole segment of a path, or a
 * whole value, makes no difference to any pattern of a secret (test/analyze/record/plain-texts.test.ts compares). Looking a shape up takes
 * a fraction of the time of the patterns, and targets with numbers seldom come again.
 */
export class PlainTexts {
  readonly #shapes = new NumberShapes<true>('/=', '/?& ');
  readonly #mask: (text: string) => string;

  /** @param mask whose results are remembered */
  constructor(mask: (text: string) => string) {
    this.#mask = mask;
  }

  /** Whether it is known that nothing is masked in a text. */
  has(text: string): boolean {
    return this.#shapes.of('', text) !== undefined;
  }

  /** The text as it may be shown. */
  masked(text: string): string {
    const masked = this.#mask(text);
    // Masking may have looked up other texts of it.
    if (masked === text && !this.has(text)) this.#shapes.remember(true);
    return masked;
  }
}

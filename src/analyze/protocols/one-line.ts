import { TEXT_MAXIMUM } from '../limits.ts';

/** A text as part of a label: newlines, tabs and other controls folded to a space, cut to TEXT_MAXIMUM. */
export function oneLine(text: string): string {
  const bounded = text.length > TEXT_MAXIMUM ? text.slice(0, TEXT_MAXIMUM) : text;
  return /[\x00-\x1f\x7f]/.test(bounded) ? bounded.replace(/[\x00-\x1f\x7f]+/g, ' ') : bounded;
}

/** A text cut to so many characters, the last one `…` where something was left out. Whole code points stay whole. */
export function cut(text: string, maximum: number): string {
  if (text.length <= maximum) return text;
  const end = maximum - 1;
  const last = text.charCodeAt(end - 1);
  return `${text.slice(0, last >= 0xd800 && last <= 0xdbff ? end - 1 : end)}…`;
}

/** A text filled with spaces to so many characters. @param painted the same text with colours, which take no room */
export function padEnd(text: string, width: number, painted = text): string {
  return text.length >= width ? painted : painted + ' '.repeat(width - text.length);
}

import { StringDecoder } from 'node:string_decoder';
import { KsnoopError } from './errors.ts';
import { CONTROL_LINE_MAXIMUM } from './limits.ts';

/**
 * Splits bytes, cut anywhere, into lines of UTF-8 text.
 * @param onLine called with each line, without its newline; empty lines are left out
 * @returns a function to feed with chunks; it throws KsnoopError LINE_TOO_LONG at a line of more than `maximum`
 * characters, after the lines before it were handed on, and keeps nothing of it
 */
export function lineSplitter(
  onLine: (line: string) => void,
  maximum: number = CONTROL_LINE_MAXIMUM,
): (chunk: Uint8Array) => void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const check = (line: string) => {
    if (line.length <= maximum) return;
    rest = '';
    throw new KsnoopError('LINE_TOO_LONG', `A control line exceeds ${maximum} characters.`);
  };
  return (chunk) => {
    const text = decoder.write(chunk);
    // What waits is not looked at again: a long line in small pieces costs no more than in one.
    if (!text.includes('\n')) {
      rest += text;
      check(rest);
      return;
    }
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      check(line);
      if (line.length > 0) onLine(line);
    }
    check(rest);
  };
}

import { StringDecoder } from 'node:string_decoder';
import { KsnoopError } from './errors.ts';
import { CONTROL_LINE_MAXIMUM } from './limits.ts';

/**
 * Splits bytes, cut anywhere, into lines of UTF-8 text.
 * @param onLine called with each line, without its newline; empty lines are left out
 * @returns a function to feed with chunks; it throws KsnoopError LINE_TOO_LONG past `maximum` characters
 */
export function lineSplitter(
  onLine: (line: string) => void,
  maximum: number = CONTROL_LINE_MAXIMUM,
): (chunk: Uint8Array) => void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  return (chunk) => {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > maximum) {
      throw new KsnoopError('LINE_TOO_LONG', `A control line exceeds ${maximum} characters.`);
    }
    for (const line of lines) if (line.length > 0) onLine(line);
  };
}

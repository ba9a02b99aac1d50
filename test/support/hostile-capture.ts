import { builtPcap } from './built-capture.ts';

/** What a terminal would obey, what turns text around, what is wide, and marks upon marks. */
const HOSTILE = '\x1b[2J\x1b[31m\x9b2J\x07\u202etxt.exe\u202c日本語🎉e\u0301\u0302\u0303\u0304';

/** A capture of one exchange that is full of it. Redis speaks of UTF-8; of HTTP's bytes each is a character. */
export function hostileCapture(): Uint8Array {
  const request = `*2\r\n$3\r\nGET\r\n$${Buffer.byteLength(HOSTILE)}\r\n${HOSTILE}\r\n`;
  const response = `-ERR ${HOSTILE}\r\n`;
  const asked = Buffer.byteLength(request);
  return builtPcap([
    { side: 0, sequence: 0, flags: 'S', at: 0 },
    { side: 1, sequence: 0, acknowledgment: 1, flags: 'S.', at: 1 },
    { side: 0, sequence: 1, acknowledgment: 1, flags: 'P.', payload: request, at: 2 },
    { side: 1, sequence: 1, acknowledgment: 1 + asked, flags: 'P.', payload: response, at: 3 },
  ]);
}

import { u8, u16 } from '../../bytes.ts';
import { RECORD_FIXED, SECTION, skipQuestions } from './message.ts';
import { skipName } from './name.ts';
import { TYPE } from './numbers.ts';

/** What every output needs of an answer's records, found in one pass. Reused: read it before the next scan. */
export class ResponseScan {
  /** With EDNS's upper eight bits where there is an OPT record (RFC 6891, section 6.1.3). */
  rcode = 0;
  /**
   * A number for the addresses in the answer, whatever their order and their time to live: a server's load balancing and
   * a cache's ageing change those each time. 0 when there is none.
   */
  addresses = 0;

  /**
   * Look at the message from `start` to `end`, as far as its records are whole.
   * @param at behind the first question
   */
  scan(bytes: Uint8Array, start: number, at: number, end: number): void {
    this.rcode = u8(bytes, start + 3) & 15;
    this.addresses = 0;
    const answers = u16(bytes, start + SECTION.answers);
    const additional = u16(bytes, start + SECTION.additional);
    const before = answers + u16(bytes, start + SECTION.authority);
    const count = additional > 0 ? before + additional : answers;
    const questions = u16(bytes, start + SECTION.questions);
    let position = questions > 1 ? skipQuestions(bytes, at, end, questions - 1) : at;
    if (position < 0) return;
    for (let index = 0; index < count; index += 1) {
      const behind = skipName(bytes, position, end);
      if (behind < 0 || behind + RECORD_FIXED > end) return;
      const type = u16(bytes, behind);
      if (index >= before && type === TYPE.opt) {
        this.rcode |= u8(bytes, behind + 4) << 4;
        return;
      }
      const data = behind + RECORD_FIXED;
      position = data + u16(bytes, behind + 8);
      if (position > end) return;
      if (index >= answers || (type !== TYPE.a && type !== TYPE.aaaa)) continue;
      this.addresses = (this.addresses + hash(bytes, data, position)) | 0;
    }
  }
}

function hash(bytes: Uint8Array, start: number, end: number): number {
  let value = 0x811c9dc5;
  for (let at = start; at < end; at += 1) value = Math.imul(value ^ u8(bytes, at), 0x01000193);
  return value ^ (value >>> 15) || 1;
}

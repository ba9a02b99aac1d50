import { i32, u16 } from '../../bytes.ts';
import type { Fields } from '../../record/event.ts';
import type { MessageDetail } from './detail.ts';
import { RECORD_FIXED, SECTION, skipRecord } from './message.ts';
import { skipName } from './name.ts';
import { TYPE } from './numbers.ts';
import type { Question } from './question.ts';

/** A zone that comes in as many messages as it needs, all answers to one query (RFC 5936, RFC 1995). */
export class Transfer {
  readonly time: number;
  readonly more: MessageDetail | undefined;
  end = 0;
  wireLength = 0;
  messages = 0;
  records = 0;
  readonly #incremental: boolean;
  /** Of the zone as it will be: in the first record. */
  #serial = 0;
  /** The record that ends the transfer: the second SOA. */
  #same = 0;
  /** An incremental one whose second record is of an older zone has it three times, else it is the whole zone. */
  #wanted = 2;

  /** @param time of the first message's first byte @param more details of the first message */
  constructor(time: number, incremental: boolean, more: MessageDetail | undefined) {
    this.time = time;
    this.#incremental = incremental;
    this.more = more;
  }

  /**
   * Take the next message.
   * @param at behind its question
   * @returns whether it was the last one
   */
  take(bytes: Uint8Array, start: number, at: number, end: number, wireLength: number, now: number): boolean {
    this.wireLength += wireLength;
    this.end = now;
    this.messages += 1;
    const count = u16(bytes, start + SECTION.answers);
    let position = at;
    for (let index = 0; index < count && position >= 0; index += 1) {
      this.#record(bytes, position, end);
      position = skipRecord(bytes, position, end);
    }
    if (position < 0 || count === 0) return true;
    if (this.#same >= this.#wanted) return true;
    // Nothing has changed since: the zone's own record alone (RFC 1995, section 2).
    return this.#incremental && this.records === 1;
  }

  #record(bytes: Uint8Array, at: number, end: number): void {
    const behind = skipName(bytes, at, end);
    this.records += 1;
    if (behind < 0 || behind + RECORD_FIXED > end || u16(bytes, behind) !== TYPE.soa) return;
    const mailbox = skipName(bytes, behind + RECORD_FIXED, end);
    const serialAt = mailbox < 0 ? -1 : skipName(bytes, mailbox, end);
    if (serialAt < 0 || serialAt + 4 > end) return;
    const serial = i32(bytes, serialAt);
    if (this.records === 1) this.#serial = serial;
    if (this.records === 2 && this.#incremental && serial !== this.#serial) this.#wanted = 3;
    if (serial === this.#serial) this.#same += 1;
  }
}

/** Whether the answer to a question is a zone. */
export function isTransfer({ type, route }: Question): boolean {
  return (type === 'AXFR' || type === 'IXFR') && route === type;
}

/** An exchange's fields with what its transfer was. */
export function withTransfer(fields: Fields, { messages, records }: Transfer): Fields {
  return { dns: { ...(fields.dns as Fields), messages, records } };
}

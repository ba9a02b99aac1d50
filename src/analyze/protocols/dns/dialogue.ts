import { u8, u16 } from '../../bytes.ts';
import { type AnalysisEvent, type Fields, type Incomplete, otherSide, SIDE, type Side } from '../../event.ts';
import { exchangeFields, type MessageDetail, messageDetail } from './detail.ts';
import { FLAG, HEADER, opcodeOf, QuestionScan, responseCode, SECTION } from './message.ts';
import { nameText, readName } from './name.ts';
import { OPCODE, typeName } from './numbers.ts';
import { MARK, PendingQueries } from './pending.ts';
import {
  CUT_QUESTION,
  NO_OUTCOME,
  NO_QUESTION,
  outcomeOf,
  type Question,
  QuestionTable,
  questionOf,
} from './question.ts';

/** A query with an id that is in use is another one when its question differs and this time has passed, in ns. */
const ID_REUSE_NS = 1e9;

/** The same query after this long is asked anew, not sent again: resolvers give up earlier. ns */
const REPEAT_NS = 30e9;

const SEED = Math.floor(Math.random() * 2 ** 32);

/** What all flows share: the texts of questions. Used during a call only. */
const scan = new QuestionScan(SEED);
const questions = new QuestionTable();

export interface DialogueContext {
  readonly now: number;
  readonly detail: boolean;
}

/** Pairs queries with their answers, of many flows (UDP) or of one (TCP). */
export class Dialogue {
  readonly #context: DialogueContext;
  readonly #emit: (flow: number, event: AnalysisEvent) => void;
  readonly #pending: PendingQueries<MessageDetail>;

  /** @param maximum queries that wait for their answers */
  constructor(context: DialogueContext, maximum: number, emit: (flow: number, event: AnalysisEvent) => void) {
    this.#context = context;
    this.#emit = emit;
    this.#pending = new PendingQueries(maximum, SEED);
  }

  /**
   * Take a message.
   * @param first when its first octet came; its last one is of now
   * @param octets of it on the wire
   * @param whole whether `end` is its end, not where the capture cut it
   */
  message(
    flow: number,
    side: Side,
    bytes: Uint8Array,
    start: number,
    end: number,
    first: number,
    octets: number,
    whole: boolean,
  ): void {
    if (end - start < HEADER) {
      if (whole) this.#malformed(flow, side, 'message shorter than its header', first);
      return;
    }
    const flags = u16(bytes, start + 2);
    const isResponse = (flags & FLAG.response) !== 0;
    scan.scan(bytes, start, end);
    if (scan.state === 'bad' || (scan.state === 'cut' && whole)) {
      this.#malformed(flow, side, isResponse ? 'malformed response' : 'malformed query', first);
      return;
    }
    if (scan.state !== 'whole') scan.hash = 0;
    if (isResponse) this.#response(flow, side, bytes, start, end, first, octets, whole);
    else this.#query(flow, side, bytes, start, end, first, octets, whole);
  }

  /** Nothing more comes of a flow: what waits is told as unanswered. */
  endFlow(flow: number, why: Incomplete): void {
    const pending = this.#pending;
    for (let entry = pending.firstOf(flow); entry >= 0; entry = pending.firstOf(flow)) this.#unanswered(entry, why);
  }

  end(): void {
    while (this.#pending.count > 0) this.#unanswered(this.#pending.oldish(), 'no response');
  }

  #query(
    flow: number,
    side: Side,
    bytes: Uint8Array,
    start: number,
    end: number,
    first: number,
    octets: number,
    whole: boolean,
  ): void {
    const pending = this.#pending;
    const id = u16(bytes, start);
    const { hash } = scan;
    const known = pending.find(flow, side, id, hash);
    if (known >= 0) {
      if (!pending.has(known, MARK.answered) && first - pending.first(known) < REPEAT_NS) {
        pending.addRepeat(known, 1);
        return;
      }
      this.#unanswered(known, 'no response');
    }
    const outdated = pending.outdated(flow, side, id, first - ID_REUSE_NS);
    if (outdated >= 0) this.#unanswered(outdated, 'no response');
    if (pending.count >= pending.maximum) this.#unanswered(pending.oldish(), 'no response');
    const { now, detail } = this.#context;
    const more = detail ? messageDetail(bytes, start, end, whole) : undefined;
    const question = scannedQuestion(bytes, start);
    const marks = isToAll(bytes, start, question) ? MARK.toAll : 0;
    pending.add(flow, side, id, hash, first, now, octets, question, more, marks);
  }

  #response(
    flow: number,
    side: Side,
    bytes: Uint8Array,
    start: number,
    end: number,
    first: number,
    octets: number,
    whole: boolean,
  ): void {
    const pending = this.#pending;
    const asker = otherSide(side);
    const entry = pending.find(flow, asker, u16(bytes, start), scan.hash);
    if (entry >= 0 && pending.has(entry, MARK.answered)) {
      pending.addRepeat(entry, -1);
      if (pending.repeats(entry) <= 0) pending.remove(entry);
      return;
    }
    const { now, detail } = this.#context;
    const more = detail ? messageDetail(bytes, start, end, whole) : undefined;
    if (entry < 0 && isAnnouncement(bytes, start)) {
      this.#announcement(flow, side, bytes, start, end, first, octets, more);
      return;
    }
    const rcode = responseCode(bytes, start, scan.state === 'cut' ? end : scan.end, end);
    const outcome = outcomeOf(rcode);
    let question = entry >= 0 ? pending.question(entry) : NO_QUESTION;
    if (question === NO_QUESTION || question === CUT_QUESTION) question = scannedQuestion(bytes, start);
    const repeats = entry >= 0 ? pending.repeats(entry) : 0;
    const query = entry >= 0 ? pending.detail(entry) : undefined;
    const event: AnalysisEvent = {
      kind: 'exchange',
      protocol: 'dns',
      asker: asker === SIDE.server ? asker : undefined,
      label: question.label,
      time: entry >= 0 ? pending.first(entry) : first,
      requestEnd: entry >= 0 ? pending.last(entry) : first,
      responseTime: first,
      responseEnd: now,
      requestBytes: entry >= 0 ? pending.bytes(entry) : 0,
      responseBytes: octets,
      status: outcome.status,
      failed: outcome.failed,
      route: question.route,
      incomplete: entry < 0 ? 'no request' : whole ? undefined : 'gap',
      fields: detail || repeats > 0 ? exchangeFields(question, rcode, repeats, query, more) : question.fields(rcode),
    };
    if (entry >= 0) {
      if (repeats > 0) pending.mark(entry, MARK.answered);
      else pending.remove(entry);
    }
    this.#emit(flow, event);
  }

  /** Forget a query, and tell of it unless it was answered. */
  #unanswered(entry: number, why: Incomplete): void {
    const pending = this.#pending;
    const flow = pending.flow(entry);
    const asker = pending.side(entry) as Side;
    const question = pending.question(entry);
    const time = pending.first(entry);
    const last = pending.last(entry);
    const octets = pending.bytes(entry);
    const repeats = pending.repeats(entry);
    const more = pending.detail(entry);
    const answered = pending.has(entry, MARK.answered);
    const toAll = pending.has(entry, MARK.toAll);
    pending.remove(entry);
    if (answered) return;
    const fields =
      this.#context.detail || repeats > 0
        ? exchangeFields(question, -1, repeats, more, undefined)
        : question.fields(-1);
    if (toAll) {
      const { label } = question;
      this.#emit(flow, { kind: 'message', protocol: 'dns', time, from: asker, bytes: octets, label, fields });
      return;
    }
    this.#emit(flow, {
      kind: 'exchange',
      protocol: 'dns',
      asker: asker === SIDE.server ? asker : undefined,
      label: question.label,
      time,
      requestEnd: last,
      responseTime: undefined,
      responseEnd: undefined,
      requestBytes: octets,
      responseBytes: 0,
      status: NO_OUTCOME.status,
      // What was not captured may well have been an answer.
      failed: why !== 'gap',
      route: question.route,
      incomplete: why,
      fields,
    });
  }

  /** What mDNS tells everybody: records that nobody of this flow asked for. */
  #announcement(
    flow: number,
    side: Side,
    bytes: Uint8Array,
    start: number,
    end: number,
    time: number,
    octets: number,
    more: MessageDetail | undefined,
  ): void {
    const name = readName(bytes, start, start + HEADER, end);
    if (name === undefined || name.end + 2 > end) return;
    const type = typeName(u16(bytes, name.end));
    const question = questionOf(nameText(name.octets, 0, name.length), type, OPCODE.query);
    const fields: Fields = more === undefined ? question.fields(0) : exchangeFields(question, 0, 0, undefined, more);
    const { label } = question;
    this.#emit(flow, { kind: 'message', protocol: 'dns', time, from: side, bytes: octets, label, fields });
  }

  #malformed(flow: number, from: Side, label: string, time: number): void {
    const fields = { dns: { malformed: true } };
    this.#emit(flow, {
      kind: 'event',
      protocol: 'dns',
      code: 'DNS_MALFORMED',
      label,
      time,
      from,
      failed: false,
      fields,
    });
  }
}

/** The question of the message that `scan` looked at. */
function scannedQuestion(bytes: Uint8Array, start: number): Question {
  if (scan.state === 'cut') return CUT_QUESTION;
  if (scan.state !== 'whole') return NO_QUESTION;
  const opcode = opcodeOf(u16(bytes, start + 2));
  return questions.get(scan.bytes, scan.nameAt, scan.nameEnd, bytes, scan.typeAt, scan.hash, opcode);
}

/** A response without a question and id that tells something: mDNS's (RFC 6762, section 18). */
function isAnnouncement(bytes: Uint8Array, start: number): boolean {
  if (u16(bytes, start) !== 0 || u16(bytes, start + SECTION.questions) !== 0) return false;
  if (u16(bytes, start + SECTION.answers) === 0) return false;
  return opcodeOf(u16(bytes, start + 2)) === OPCODE.query;
}

/**
 * Whether a query is one that mDNS or LLMNR sends to all: no flag set and without EDNS, and its id is 0 (mDNS, RFC 6762,
 * section 18.1) or its name a single label (LLMNR, RFC 4795). A resolver's stub wants recursion, and a resolver has EDNS.
 */
function isToAll(bytes: Uint8Array, start: number, question: Question): boolean {
  if (u16(bytes, start + 2) !== 0 || question.name === undefined) return false;
  if (u16(bytes, start) === 0) return true;
  if (u16(bytes, start + SECTION.additional) !== 0) return false;
  const length = u8(bytes, start + HEADER);
  return length > 0 && length < 64 && u8(bytes, start + HEADER + 1 + length) === 0;
}

import { u16 } from '../../bytes.ts';
import { type AnalysisEvent, type Fields, type Incomplete, otherSide, SIDE, type Side } from '../../record/event.ts';
import type { DatagramContext } from '../protocol.ts';
import { addressRecords } from './addresses.ts';
import { exchangeFields, type MessageDetail, messageDetail } from './detail.ts';
import { FLAG, HEADER, opcodeOf, QuestionScan } from './message.ts';
import { OPCODE, opcodeName } from './numbers.ts';
import { announcement, answeredAgain, answerToMany, isAnnouncement, isToAll, malformed } from './one-way.ts';
import { MARK, PendingQueries } from './pending.ts';
import { QueriesToMany } from './queries-to-many.ts';
import { CUT_QUESTION, NO_QUESTION, outcomeOf, type Question, QuestionTable, READY_RCODES } from './question.ts';
import { RecentAnswers } from './recent-answers.ts';
import { ResponseScan } from './response.ts';
import { isTransfer, Transfer, withTransfer } from './transfer.ts';
import { unanswered } from './unanswered.ts';

/** A query with an id that is in use is another one when its question differs and this time has passed, in ns. */
const ID_REUSE_NS = 1e9;

/** The same query after this long is asked anew, not sent again: resolvers give up earlier. ns */
const REPEAT_NS = 30e9;

const SEED = Math.floor(Math.random() * 2 ** 32);

/** What all flows share: the texts of questions. Used during a call only. */
const scan = new QuestionScan(SEED);
const response = new ResponseScan();
const questions = new QuestionTable();

/** A query that is younger when the capture ends may still be answered: resolvers wait that long (resolv.conf(5)). ns */
const ANSWER_NS = 5e9;

/** In the key of an answer above its sixteen bits of id. */
const ASKER_SHIFT = 16;

export interface DialogueContext {
  readonly now: number;
  readonly detail: boolean;
  /** Of datagrams: number of the place of capture that `now` is of. */
  readonly place?: number;
  readonly clock?: number;
  readonly isToMany?: boolean;
  /** As of DatagramContext. */
  readonly countAlike?: DatagramContext['countAlike'];
  readonly learnAlike?: DatagramContext['learnAlike'];
}

/** What a stream tells of itself. */
export interface DialogueStream {
  /** Messages may have been missed: what has no answer may have had one. */
  readonly missed: boolean;
}

let dialogues = 0;

/** Pairs queries with their answers, of many flows (UDP) or of one (TCP). */
export class Dialogue {
  readonly #context: DialogueContext;
  readonly #emit: (flow: number, event: AnalysisEvent) => void;
  readonly #pending: PendingQueries<MessageDetail>;
  /** Of datagrams: an answer may come twice. */
  readonly #answers: RecentAnswers | undefined;
  /** Of a stream: the zones that are coming, by the pending query. */
  readonly #transfers: Map<number, Transfer> | undefined;
  readonly #stream: DialogueStream | undefined;
  readonly #number: number;
  readonly #toMany = new QueriesToMany();

  /** @param maximum queries that wait for their answers @param stream undefined for many flows of datagrams */
  constructor(
    context: DialogueContext,
    maximum: number,
    stream: DialogueStream | undefined,
    emit: (flow: number, event: AnalysisEvent) => void,
  ) {
    this.#answers = stream === undefined ? new RecentAnswers() : undefined;
    this.#transfers = stream === undefined ? undefined : new Map();
    dialogues += 1;
    this.#number = dialogues;
    this.#stream = stream;
    this.#context = context;
    this.#emit = emit;
    this.#pending = new PendingQueries(maximum, SEED);
  }

  /**
   * Take a message.
   * @param first when its first byte came; its last one is of now
   * @param wireLength bytes of it on the wire
   * @param whole whether `end` is its end, not where the capture cut it
   */
  message(
    flow: number,
    side: Side,
    bytes: Uint8Array,
    start: number,
    end: number,
    first: number,
    wireLength: number,
    whole: boolean,
  ): void {
    if (end - start < HEADER) {
      if (whole) this.#emit(flow, malformed('message shorter than its header', side, first));
      return;
    }
    const flags = u16(bytes, start + 2);
    const isResponse = (flags & FLAG.response) !== 0;
    scan.scan(bytes, start, end);
    if (scan.state === 'bad' || (scan.state === 'cut' && whole)) {
      this.#emit(flow, malformed(isResponse ? 'malformed response' : 'malformed query', side, first));
      return;
    }
    if (scan.state !== 'whole') scan.hash = 0;
    if (isResponse) this.#response(flow, side, bytes, start, end, first, wireLength, whole);
    else this.#query(flow, side, bytes, start, end, first, wireLength, whole);
  }

  /** A flow has ended: its pending queries are reported as unanswered. */
  endFlow(flow: number, why: Incomplete): void {
    const pending = this.#pending;
    for (let entry = pending.firstOf(flow); entry >= 0; entry = pending.firstOf(flow)) this.#unanswered(entry, why);
  }

  /** The flow's queries did not arrive, by an ICMP error: they are not waited for, but may be sent again and answered. */
  rejected(flow: number): void {
    this.#pending.markOf(flow, MARK.rejected);
  }

  end(): void {
    const { now } = this.#context;
    const pending = this.#pending;
    while (pending.count > 0) {
      const entry = pending.oldish();
      const mayBeAnswered = now - pending.last(entry) < ANSWER_NS && !pending.has(entry, MARK.rejected);
      this.#unanswered(entry, mayBeAnswered ? 'capture ended' : 'no response');
    }
  }

  /** Why a query whose id is used anew has no answer. */
  get #noResponse(): Incomplete {
    return this.#stream?.missed ? 'response not captured' : 'no response';
  }

  #query(
    flow: number,
    side: Side,
    bytes: Uint8Array,
    start: number,
    end: number,
    first: number,
    wireLength: number,
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
      this.#unanswered(known, this.#noResponse);
    }
    const place = this.#context.place ?? 0;
    if (known < 0 && this.#answers?.isAnswered(flow, id | (side << ASKER_SHIFT), hash, first, place)) return;
    const outdated = pending.outdated(flow, side, id, first - ID_REUSE_NS);
    if (outdated >= 0) this.#unanswered(outdated, this.#noResponse);
    if (pending.count >= pending.maximum) this.#unanswered(pending.oldish(), 'unknown');
    const { now, detail, clock = 0 } = this.#context;
    const more = detail ? messageDetail(bytes, start, end, whole) : undefined;
    const question = scannedQuestion(bytes, start);
    const number = scan.state === 'whole' ? questions.number : 0;
    const isToMany = this.#context.isToMany === true || isToAll(bytes, start, question);
    if (isToMany && hash !== 0) this.#toMany.add(id, hash, first);
    const marks = isToMany ? MARK.toAll : 0;
    pending.add(flow, side, id, hash, first, now, wireLength, question, more, marks, clock, number);
  }

  #response(
    flow: number,
    side: Side,
    bytes: Uint8Array,
    start: number,
    end: number,
    first: number,
    wireLength: number,
    whole: boolean,
  ): void {
    const pending = this.#pending;
    const requester = otherSide(side);
    const id = u16(bytes, start);
    const entry = pending.find(flow, requester, id, scan.hash);
    if (entry >= 0 && pending.has(entry, MARK.answered)) {
      pending.addRepeat(entry, -1);
      if (pending.repeats(entry) <= 0) pending.remove(entry);
      return;
    }
    const { now, detail } = this.#context;
    let transfer = this.#transfers?.get(entry);
    let more = detail && transfer === undefined ? messageDetail(bytes, start, end, whole) : undefined;
    if (entry < 0 && isAnnouncement(bytes, start)) {
      const message = announcement(side, bytes, start, end, first, wireLength, more);
      if (message !== undefined) this.#emit(flow, message);
      return;
    }
    if (entry < 0 && this.#toMany.has(id, scan.hash, first)) {
      this.#emit(
        flow,
        answerToMany(side, first, wireLength, scannedQuestion(bytes, start), u16(bytes, start + 2), more),
      );
      return;
    }
    response.scan(bytes, start, scan.state === 'cut' ? end : scan.end, end);
    const { rcode, addresses } = response;
    const key = id | (requester << ASKER_SHIFT);
    if (entry < 0 && this.#answers?.has(flow, key, scan.hash)) {
      this.#emit(flow, answeredAgain(side, first, scannedQuestion(bytes, start), rcode, more));
      return;
    }
    this.#answers?.add(flow, key, scan.hash, now, this.#context.place ?? 0);
    const flags = u16(bytes, start + 2);
    const mayBeAlike = entry >= 0 && !detail && whole && side === SIDE.server;
    const kind = mayBeAlike ? this.#kind(entry, rcode, addresses, flags) : 0;
    if (kind > 0) {
      const time = pending.first(entry);
      if (this.#context.countAlike?.(flow, kind, time, now - time, pending.bytes(entry), wireLength) === true) {
        pending.remove(entry);
        return;
      }
    }
    const outcome = outcomeOf(rcode);
    let question = entry >= 0 ? pending.question(entry) : NO_QUESTION;
    if (question === NO_QUESTION || question === CUT_QUESTION) question = scannedQuestion(bytes, start);
    const repeats = entry >= 0 ? pending.repeats(entry) : 0;
    const query = entry >= 0 ? pending.detail(entry) : undefined;
    if (this.#transfers !== undefined && entry >= 0 && rcode === 0 && isTransfer(question)) {
      if (transfer === undefined) {
        transfer = new Transfer(first, question.type === 'IXFR', more);
        this.#transfers.set(entry, transfer);
      }
      if (!transfer.take(bytes, start, scan.end, end, wireLength, now)) return;
      more = transfer.more;
    }
    let fields = question.fields(rcode);
    if (detail || repeats > 0) fields = exchangeFields(question, rcode, repeats, query, more);
    if (!detail) fields = withFlags(fields, flags);
    if (!detail && rcode === 0) fields = this.#withAddresses(fields, addresses, question, bytes, start, end);
    const isTimed = entry < 0 || pending.clock(entry) === (this.#context.clock ?? 0);
    const event: AnalysisEvent = {
      kind: 'exchange',
      protocol: 'dns',
      requester: requester === SIDE.server ? requester : undefined,
      label: question.label,
      time: entry >= 0 ? pending.first(entry) : first,
      requestEnd: entry >= 0 ? pending.last(entry) : first,
      responseTime: isTimed ? (transfer?.time ?? first) : undefined,
      responseEnd: isTimed ? now : undefined,
      requestBytes: entry >= 0 ? pending.bytes(entry) : 0,
      responseBytes: transfer?.wireLength ?? wireLength,
      status: outcome.status,
      failed: outcome.failed,
      route: question.route,
      incomplete: entry < 0 ? 'request not seen' : whole ? undefined : 'response not captured',
      fields: transfer === undefined ? fields : withTransfer(fields, transfer),
    };
    if (entry >= 0) {
      this.#transfers?.delete(entry);
      if (repeats > 0) pending.mark(entry, MARK.answered);
      else pending.remove(entry);
    }
    this.#emit(flow, event);
    if (kind > 0) this.#context.learnAlike?.(flow, kind, event);
  }

  /**
   * Of an exchange of one datagram each way, without anything that is out of the ordinary: a number that all with the same question and
   * response code have; 0 of any other.
   */
  #kind(entry: number, rcode: number, addresses: number, flags: number): number {
    const pending = this.#pending;
    const { now, clock = 0 } = this.#context;
    const number = pending.number(entry);
    const isPlain =
      number > 0 &&
      rcode < READY_RCODES &&
      pending.repeats(entry) === 0 &&
      pending.clock(entry) === clock &&
      pending.first(entry) <= now &&
      pending.last(entry) === pending.first(entry) &&
      (flags & FLAG.truncated) === 0 &&
      opcodeOf(flags) === OPCODE.query;
    if (!isPlain || this.#stream !== undefined) return 0;
    if (addresses !== 0 && rcode === 0 && !questions.isReported(number, addresses, this.#number)) return 0;
    return number * READY_RCODES + rcode;
  }

  /** Addresses are reported also without detail, because they name hosts: when the answer to the question has changed. */
  #withAddresses(
    fields: Fields,
    addresses: number,
    question: Question,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): Fields {
    if (addresses === 0 || (addresses === question.reported && question.reportedBy === this.#number)) return fields;
    questions.report(question, addresses, this.#number);
    return { dns: { ...(fields.dns as Fields), answers: addressRecords(bytes, start, scan.end, end) } };
  }

  /** Removes a query, and reports it unless it was answered. */
  #unanswered(entry: number, why: Incomplete): void {
    const pending = this.#pending;
    const flow = pending.flow(entry);
    const transfer = this.#transfers?.get(entry);
    const event = pending.has(entry, MARK.answered)
      ? undefined
      : unanswered(pending, entry, why, this.#context.detail, transfer);
    this.#transfers?.delete(entry);
    pending.remove(entry);
    if (event !== undefined) this.#emit(flow, event);
  }
}

/** The question of the message that `scan` looked at. */
function scannedQuestion(bytes: Uint8Array, start: number): Question {
  if (scan.state === 'cut') return CUT_QUESTION;
  if (scan.state !== 'whole') return NO_QUESTION;
  const opcode = opcodeOf(u16(bytes, start + 2));
  return questions.get(scan.bytes, scan.nameAt, scan.nameEnd, bytes, scan.typeAt, scan.hash, opcode);
}

/** What findings need of a response that is not shown by itself: that it is truncated, or that no query was asked. */
function withFlags(fields: Fields, flags: number): Fields {
  const truncated = (flags & FLAG.truncated) !== 0;
  const opcode = opcodeOf(flags);
  if (!truncated && opcode === OPCODE.query) return fields;
  return {
    dns: {
      ...(fields.dns as Fields),
      truncated,
      opcode: opcode === OPCODE.query ? undefined : opcodeName(opcode),
    },
  };
}

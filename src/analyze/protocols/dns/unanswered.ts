import { type AnalysisEvent, type Incomplete, SIDE, type Side } from '../../record/event.ts';
import { isFailure } from '../unfinished.ts';
import { exchangeFields, type MessageDetail } from './detail.ts';
import { MARK, type PendingQueries } from './pending.ts';
import { outcomeOf } from './question.ts';
import { type Transfer, withTransfer } from './transfer.ts';

/**
 * The event of a query that is no longer waited for: a failed exchange, or a message when no answer was required.
 * @param transfer what came of a zone that did not come whole
 */
export function unanswered(
  pending: PendingQueries<MessageDetail>,
  entry: number,
  why: Incomplete,
  detail: boolean,
  transfer: Transfer | undefined,
): AnalysisEvent {
  const requester = pending.side(entry) as Side;
  const question = pending.question(entry);
  const { label, route } = question;
  const time = pending.first(entry);
  const wireLength = pending.bytes(entry);
  const repeats = pending.repeats(entry);
  // A part of the zone came.
  const incomplete = transfer !== undefined && why === 'no response' ? 'closed early' : why;
  const rcode = transfer === undefined ? -1 : 0;
  let fields = question.fields(rcode);
  if (detail || repeats > 0) fields = exchangeFields(question, rcode, repeats, pending.detail(entry), transfer?.more);
  if (pending.has(entry, MARK.toAll)) {
    return { kind: 'message', protocol: 'dns', time, from: requester, bytes: wireLength, label, fields };
  }
  return {
    kind: 'exchange',
    protocol: 'dns',
    requester: requester === SIDE.server ? requester : undefined,
    label,
    time,
    requestEnd: pending.last(entry),
    responseTime: transfer?.time,
    responseEnd: transfer?.end,
    requestBytes: wireLength,
    responseBytes: transfer?.wireLength ?? 0,
    status: transfer === undefined ? '' : outcomeOf(0).status,
    failed: isFailure(incomplete),
    route,
    incomplete,
    fields: transfer === undefined ? fields : withTransfer(fields, transfer),
  };
}

import { FOUND_MAXIMUM } from '../../wire/found-block.ts';
import { isObject } from '../../wire/guard.ts';
import { type Exchange, type Message, type Notice, SIDE } from '../record/event.ts';
import { amount, flag, maybe, members, moment, oneOf, type Shape, WrongShape, words } from './shape.ts';

/** Objects and lists within one another: those of protocols are a few deep. */
const DEPTH_MAXIMUM = 64;

/** Characters of names, and of texts. */
const NAME_MAXIMUM = 256;
const TEXT_MAXIMUM = FOUND_MAXIMUM;

const side = oneOf(SIDE.client, SIDE.server);

/** Fields of an event: JSON, not too deep. Translated in no way: their times are durations or the wall clock's. */
const fields: Shape = (value) => {
  if (!isObject(value)) throw new WrongShape('no fields');
  checkDepth(value, 0);
  return value;
};

function checkDepth(value: unknown, depth: number): void {
  if (depth > DEPTH_MAXIMUM) throw new WrongShape('too deep');
  if (Array.isArray(value)) for (const each of value) checkDepth(each, depth + 1);
  else if (isObject(value)) for (const each of Object.values(value)) checkDepth(each, depth + 1);
}

const BASE = { protocol: words(NAME_MAXIMUM), label: words(TEXT_MAXIMUM), fields };

const exchange = members<Exchange>({
  ...BASE,
  kind: oneOf('exchange'),
  requester: maybe(side),
  time: moment,
  requestEnd: moment,
  responseTime: maybe(moment),
  responseEnd: maybe(moment),
  requestBytes: amount,
  responseBytes: amount,
  declaredBytes: maybe(amount),
  endedBy: maybe(side),
  status: words(TEXT_MAXIMUM),
  failed: flag,
  route: words(TEXT_MAXIMUM),
  probe: maybe(flag),
  incomplete: maybe(
    oneOf(
      'request not seen',
      'request not captured',
      'response not captured',
      'capture ended',
      'reset',
      'closed early',
      'timed out',
      'no response',
      'unknown',
    ),
  ),
});

const message = members<Message>({ ...BASE, kind: oneOf('message'), time: moment, from: side, bytes: amount });

const notice = members<Notice>({
  ...BASE,
  kind: oneOf('event'),
  time: moment,
  from: maybe(side),
  code: words(NAME_MAXIMUM),
  position: maybe(amount),
  failed: flag,
});

/** AnalysisEvent */
export const eventShape: Shape = (value, by) => {
  if (!isObject(value)) throw new WrongShape('no event');
  if (value.kind === 'exchange') return exchange(value, by);
  return value.kind === 'message' ? message(value, by) : notice(value, by);
};

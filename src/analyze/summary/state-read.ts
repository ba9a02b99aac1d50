import { arrayAt, invalid, isObject, type JsonObject, objectAt, requireObject } from '../../wire/guard.ts';
import type { Transport } from '../flow/flow-facts.ts';
import { TEXT_MAXIMUM } from '../limits.ts';
import { STATUS_WIDTH, STATUSES_PER_ROW } from './exchange-rows.ts';
import { type BucketsState, FIRST_BUCKET, LAST_BUCKET } from './histogram.ts';
import type { RowState } from './row-state.ts';
import { eachTable, STATE_VERSION, type SummaryState } from './state.ts';
import { type KeyPart, STATE_TABLES, type StateRow, type StateTable } from './state-tables.ts';
import { STATE_KIND } from './state-write.ts';
import { WORST_FLOWS } from './tcp-health.ts';
import { type SummaryEvent, TOTALS_CODES, TOTALS_PODS, TOTALS_ROWS, type TroubledFlow } from './totals.ts';
import { worstFlow } from './worst-flow.ts';

/** Characters of a name: of a route, whose text is bounded, and what stands behind it. */
const NAME_MAXIMUM = TEXT_MAXIMUM + 64;
/** No capture counts more, and numbers are whole up to it. */
const COUNT_MAXIMUM = Number.MAX_SAFE_INTEGER;
/** ns since 1970: the year 2262. */
const TIME_MAXIMUM = 2n ** 63n;
/** The row `other` comes beyond the bound. */
const ROWS = TOTALS_ROWS + 1;

const TRANSPORTS: ReadonlySet<string> = new Set<Transport>(['tcp', 'udp', 'sctp', 'icmp', 'icmpv6', 'ip']);

/** What is read. */
export interface StateOrigin {
  /** For messages: `state in web.json`. */
  readonly where: string;
  /** Counts may be negative. */
  readonly delta?: boolean | undefined;
}

/**
 * A state from outside. Members that it does not know are left out: a later version may have more.
 * @throws KsnoopError INVALID_MESSAGE where a part is not what it has to be, is too large, or comes twice
 */
export function readState(value: unknown, { where, delta = false }: StateOrigin): SummaryState {
  const document = requireObject(value, where);
  if (document.kind !== STATE_KIND) throw invalid(where, `is not a ${STATE_KIND} document`);
  if (document.v !== STATE_VERSION) {
    throw invalid(where, `has the version ${shown(document.v)}, and this ksnoop reads version ${STATE_VERSION}`);
  }
  const check = new Check(where, delta);
  const all = objectAt(document, 'tables');
  return {
    span: check.span(document),
    flows: check.list(document, 'flows', TRANSPORTS.size).map((item) => check.flow(item)),
    tables: eachTable((table) => check.rows(table, all)),
    floors: check.floors(objectAt(document, 'floors')),
    messages: check.list(document, 'messages', TOTALS_CODES + 1).map((item) => check.message(item)),
    events: check.list(document, 'events', TOTALS_CODES + 1).map((item) => check.event(item)),
    worst: check.list(document, 'worst', WORST_FLOWS).map((item) => check.troubled(item)),
    captured: check.list(document, 'captured', TOTALS_PODS).map((item) => check.pod(item)),
    active: check.list(document, 'active', TOTALS_PODS).map((item) => check.text(item, 'pod')),
  };
}

/** The checks of one document. */
class Check {
  readonly #where: string;
  readonly #delta: boolean;

  constructor(where: string, delta: boolean) {
    this.#where = where;
    this.#delta = delta;
  }

  span(document: JsonObject): SummaryState['span'] {
    if (document.first === undefined && document.last === undefined) return undefined;
    const [first, last] = [this.#time(document.first), this.#time(document.last)];
    if (first > last) throw this.#invalid('has a first packet that comes after the last one');
    return { first, last };
  }

  flow(item: unknown): readonly [Transport, number] {
    const [transport, count] = this.#items(item, 2, 'flows');
    if (!isTransport(transport)) throw this.#invalid(`has flows of the transport ${shown(transport)}`);
    return [transport, this.#count(count, 'flows')];
  }

  rows({ name, key, shape }: StateTable, tables: JsonObject): StateRow[] {
    const keys = new Set<string>();
    return this.list(tables, name, ROWS * (this.#delta ? 2 : 1)).map((item) => {
      const [parts, row] = this.#items(item, 2, name);
      const checked = this.#key(parts, key, name);
      const text = JSON.stringify(checked);
      if (keys.has(text)) throw this.#invalid(`has two rows of one key in ${name}`);
      keys.add(text);
      if (!isObject(row)) throw this.#invalid(`has a row in ${name} that is not an object`);
      const counts: Record<string, number> = {};
      for (const member of shape.counts) {
        if (row[member] !== undefined) counts[member] = this.#count(row[member], member);
      }
      const times: Record<string, BucketsState> = {};
      for (const member of shape.times) {
        if (row[member] !== undefined) times[member] = this.#buckets(row[member], member);
      }
      const statuses = shape.statuses ? this.#statuses(row) : [];
      return { key: checked, row: { counts, times, statuses } };
    });
  }

  floors(floors: JsonObject): SummaryState['floors'] {
    const reached = STATE_TABLES.filter(({ name }) => floors[name] !== undefined);
    return Object.fromEntries(
      reached.map(({ name }) => [name, wholeNumber(floors[name], 0) ?? this.#fail('floors')] as const),
    );
  }

  message(item: unknown): readonly [string, number, number] {
    const [protocol, count, bytes] = this.#items(item, 3, 'messages');
    return [this.text(protocol, 'protocol'), this.#count(count, 'messages'), this.#count(bytes, 'bytes')];
  }

  event(item: unknown): SummaryEvent {
    const { protocol, code, failed, count } = requireObject(item, this.#where);
    return {
      protocol: this.text(protocol, 'protocol'),
      code: this.text(code, 'code'),
      failed: failed === true,
      count: this.#count(count, 'events'),
    };
  }

  troubled(item: unknown): TroubledFlow {
    const { trouble, record } = requireObject(item, this.#where);
    return { trouble: wholeNumber(trouble, 0) ?? this.#fail('trouble'), record: worstFlow(record, this.#where) };
  }

  pod(item: unknown): readonly [string, string | undefined] {
    if (!Array.isArray(item) || item.length < 1 || item.length > 2) throw this.#fail('captured');
    const [pod, service] = item as readonly unknown[];
    return [this.text(pod, 'pod'), service === undefined ? undefined : this.text(service, 'service')];
  }

  text(value: unknown, what: string): string {
    if (typeof value !== 'string' || value.length > NAME_MAXIMUM) throw this.#fail(what);
    return value;
  }

  list(parent: JsonObject, member: string, maximum: number): readonly unknown[] {
    const list = parent[member];
    if (list !== undefined && !Array.isArray(list)) throw this.#fail(member);
    const items = arrayAt(parent, member);
    if (items.length > maximum) throw this.#invalid(`has ${items.length} rows in ${member}, more than ${maximum}`);
    return items;
  }

  #key(parts: unknown, kinds: StateTable['key'], name: string): KeyPart[] {
    const items = this.#items(parts, kinds.length, name);
    return kinds.map((kind, index) => {
      const part = items[index];
      if (kind === 'port') return wholeNumber(part, 0, 65_535) ?? this.#fail('port');
      return kind === 'text?' && part === null ? null : this.text(part, `key in ${name}`);
    });
  }

  #statuses(row: JsonObject): RowState['statuses'] {
    const seen = new Set<string>();
    // A delta may take back as many as it adds; the last one is `other`.
    return this.list(row, 'statuses', 2 * (STATUSES_PER_ROW + 1)).map((item) => {
      const [status, count] = this.#items(item, 2, 'statuses');
      const text = this.text(status, 'status');
      if (text.length > STATUS_WIDTH || seen.has(text)) throw this.#fail('statuses');
      seen.add(text);
      return [text, this.#count(count, 'statuses')] as const;
    });
  }

  #buckets(value: unknown, name: string): BucketsState {
    if (!isObject(value) || !Array.isArray(value.buckets)) throw this.#fail(name);
    const list = value.buckets as readonly unknown[];
    if (list.length % 2 !== 0 || list.length > 2 * (LAST_BUCKET - FIRST_BUCKET + 1)) throw this.#fail(name);
    let before = FIRST_BUCKET - 1;
    const buckets: number[] = [];
    for (let at = 0; at < list.length; at += 2) {
      const bucket = wholeNumber(list[at], before + 1, LAST_BUCKET) ?? this.#fail(name);
      buckets.push(bucket, this.#count(list[at + 1], name));
      before = bucket;
    }
    const { sum, max } = value;
    const isTime = (time: unknown): time is number =>
      typeof time === 'number' && Math.abs(time) <= Number.MAX_VALUE && (this.#delta || time >= 0);
    if (!isTime(sum) || !isTime(max) || max < 0) throw this.#fail(name);
    return { sum, max, buckets };
  }

  #count(value: unknown, what: string): number {
    return wholeNumber(value, this.#delta ? -COUNT_MAXIMUM : 0) ?? this.#fail(what);
  }

  #time(value: unknown): bigint {
    if (typeof value !== 'string' || !/^-?\d{1,19}$/.test(value)) throw this.#fail('time');
    const time = BigInt(value);
    if (time >= TIME_MAXIMUM || time < -TIME_MAXIMUM) throw this.#fail('time');
    return time;
  }

  #items(value: unknown, length: number, what: string): readonly unknown[] {
    if (!Array.isArray(value) || value.length !== length) throw this.#fail(what);
    return value;
  }

  /** @throws always; it has a type so that it can stand where a value is expected */
  #fail(what: string): never {
    throw this.#invalid(`has no usable ${what}`);
  }

  #invalid(what: string): Error {
    return invalid(this.#where, what);
  }
}

function wholeNumber(value: unknown, minimum: number, maximum = COUNT_MAXIMUM): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= minimum && value <= maximum
    ? value
    : undefined;
}

function isTransport(value: unknown): value is Transport {
  return typeof value === 'string' && TRANSPORTS.has(value);
}

/** At most a few characters of what stands there. */
function shown(value: unknown): string {
  return String(JSON.stringify(value) ?? 'undefined').slice(0, 20);
}

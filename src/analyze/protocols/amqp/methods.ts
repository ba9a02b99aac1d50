import { SIDE, type Side } from '../../record/event.ts';

/** A method of AMQP 0-9-1 (its specification, and RabbitMQ's additions). */
export interface Method {
  /** Class and method: `queue.declare`. */
  readonly name: string;
  readonly id: number;
  /** Which side sends it; undefined for both. */
  readonly from: Side | undefined;
  /** Ids of the methods that answer it; empty without an answer. */
  readonly replies: readonly number[];
  /** Its arguments up to the last of interest, see `readArguments`. */
  readonly parts: string;
  /** The no-wait bit in `n`: the sender wants no answer. */
  readonly noWait: number;
}

/** A method's id: class and method in one. */
export function methodId(classId: number, method: number): number {
  return classId * 65_536 + method;
}

const { client, server } = SIDE;
type Row = readonly [
  classId: number,
  method: number,
  name: string,
  from: Side | undefined,
  replies?: readonly number[],
  parts?: string,
  noWait?: number,
];

/**
 * Arguments: `2` `4` `8` bytes of a number, `s` a short text, `b` byte of bits, `n` byte of bits of which one is no-wait;
 * short texts `q`ueue, e`x`change, routing `k`ey, `c`onsumer tag, `v`irtual host, `T` reply text; `R` reply code,
 * `I` class and method that failed, `d`elivery tag, `P` a table, `M` mechanism, `S` secret (long text).
 */
const TABLE: readonly Row[] = [
  [10, 10, 'connection.start', server, [11]],
  [10, 11, 'connection.start-ok', client, [], 'PMS'],
  [10, 20, 'connection.secure', server, [21]],
  [10, 21, 'connection.secure-ok', client],
  [10, 30, 'connection.tune', server, [31]],
  [10, 31, 'connection.tune-ok', client],
  [10, 40, 'connection.open', client, [41], 'v'],
  [10, 41, 'connection.open-ok', server],
  [10, 50, 'connection.close', undefined, [], 'RTI'],
  [10, 51, 'connection.close-ok', undefined],
  [10, 60, 'connection.blocked', server, [], 'T'],
  [10, 61, 'connection.unblocked', server],
  [10, 70, 'connection.update-secret', client, [71]],
  [10, 71, 'connection.update-secret-ok', server],
  [20, 10, 'channel.open', client, [11]],
  [20, 11, 'channel.open-ok', server],
  [20, 20, 'channel.flow', undefined, [21]],
  [20, 21, 'channel.flow-ok', undefined],
  [20, 40, 'channel.close', undefined, [], 'RTI'],
  [20, 41, 'channel.close-ok', undefined],
  [40, 10, 'exchange.declare', client, [11], '2xsn', 4],
  [40, 11, 'exchange.declare-ok', server],
  [40, 20, 'exchange.delete', client, [21], '2xn', 1],
  [40, 21, 'exchange.delete-ok', server],
  [40, 30, 'exchange.bind', client, [31], '2xskn', 0],
  [40, 31, 'exchange.bind-ok', server],
  [40, 40, 'exchange.unbind', client, [51], '2xskn', 0],
  [40, 51, 'exchange.unbind-ok', server],
  [50, 10, 'queue.declare', client, [11], '2qn', 4],
  [50, 11, 'queue.declare-ok', server, [], 'q'],
  [50, 20, 'queue.bind', client, [21], '2qxkn', 0],
  [50, 21, 'queue.bind-ok', server],
  [50, 30, 'queue.purge', client, [31], '2qn', 0],
  [50, 31, 'queue.purge-ok', server],
  [50, 40, 'queue.delete', client, [41], '2qn', 2],
  [50, 41, 'queue.delete-ok', server],
  [50, 50, 'queue.unbind', client, [51], '2qxk'],
  [50, 51, 'queue.unbind-ok', server],
  [60, 10, 'basic.qos', client, [11]],
  [60, 11, 'basic.qos-ok', server],
  [60, 20, 'basic.consume', client, [21], '2qcn', 3],
  [60, 21, 'basic.consume-ok', server, [], 'c'],
  [60, 30, 'basic.cancel', undefined, [31], 'cn', 0],
  [60, 31, 'basic.cancel-ok', undefined],
  [60, 40, 'basic.publish', client, [], '2xk'],
  [60, 50, 'basic.return', server, [], 'RTxk'],
  [60, 60, 'basic.deliver', server, [], 'cdbxk'],
  [60, 70, 'basic.get', client, [71, 72], '2q'],
  [60, 71, 'basic.get-ok', server, [], 'dbxk'],
  [60, 72, 'basic.get-empty', server],
  [60, 80, 'basic.ack', undefined],
  [60, 90, 'basic.reject', client],
  [60, 100, 'basic.recover-async', client],
  [60, 110, 'basic.recover', client, [111]],
  [60, 111, 'basic.recover-ok', server],
  [60, 120, 'basic.nack', undefined],
  [85, 10, 'confirm.select', client, [11], 'n', 0],
  [85, 11, 'confirm.select-ok', server],
  [90, 10, 'tx.select', client, [11]],
  [90, 11, 'tx.select-ok', server],
  [90, 20, 'tx.commit', client, [21]],
  [90, 21, 'tx.commit-ok', server],
  [90, 30, 'tx.rollback', client, [31]],
  [90, 31, 'tx.rollback-ok', server],
];

/** By class and method. */
export const METHODS: ReadonlyMap<number, Method> = new Map(
  TABLE.map(([classId, method, name, from, replies = [], parts = '', noWait = -1]) => {
    const id = methodId(classId, method);
    return [id, { name, id, from, replies: replies.map((reply) => methodId(classId, reply)), parts, noWait }];
  }),
);

/** Ids of the methods that answer one. */
export const REPLIES: ReadonlySet<number> = new Set([...METHODS.values()].flatMap(({ replies }) => replies));

export const START_OK = methodId(10, 11);
export const CONNECTION_CLOSE = methodId(10, 50);
export const CONNECTION_BLOCKED = methodId(10, 60);
export const CHANNEL_CLOSE = methodId(20, 40);
export const CHANNEL_CLOSE_OK = methodId(20, 41);
export const DECLARE_OK = methodId(50, 11);
export const CONSUME = methodId(60, 20);
export const CONSUME_OK = methodId(60, 21);
export const PUBLISH = methodId(60, 40);
export const RETURN = methodId(60, 50);
export const DELIVER = methodId(60, 60);
export const GET_OK = methodId(60, 71);
export const ACK = methodId(60, 80);
export const REJECT = methodId(60, 90);
export const NACK = methodId(60, 120);

import { MASK } from '../../record/mask.ts';
import { isSecretName } from '../../record/secret-names.ts';
import { maskText } from '../../record/secrets.ts';

/** Commands (redis.io/commands) that distinguish a client's array from a server's. Modules' have a dot in their names. */
export const COMMANDS: ReadonlySet<string> = new Set(
  (
    'ACL APPEND ASKING AUTH BGREWRITEAOF BGSAVE BITCOUNT BITFIELD BITFIELD_RO BITOP BITPOS BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH ' +
    'BZMPOP BZPOPMAX BZPOPMIN CLIENT CLUSTER COMMAND CONFIG COPY DBSIZE DEBUG DECR DECRBY DEL DISCARD DUMP ECHO EVAL EVALSHA ' +
    'EVALSHA_RO EVAL_RO EXEC EXISTS EXPIRE EXPIREAT EXPIRETIME FAILOVER FCALL FCALL_RO FLUSHALL FLUSHDB FUNCTION GEOADD GEODIST ' +
    'GEOHASH GEOPOS GEORADIUS GEORADIUSBYMEMBER GEOSEARCH GEOSEARCHSTORE GET GETBIT GETDEL GETEX GETRANGE GETSET HDEL HELLO ' +
    'HEXISTS HEXPIRE HGET HGETALL HINCRBY HINCRBYFLOAT HKEYS HLEN HMGET HMSET HRANDFIELD HSCAN HSET HSETNX HSTRLEN HTTL HVALS ' +
    'INCR INCRBY INCRBYFLOAT INFO KEYS LASTSAVE LATENCY LCS LINDEX LINSERT LLEN LMOVE LMPOP LOLWUT LPOP LPOS LPUSH LPUSHX LRANGE ' +
    'LREM LSET LTRIM MEMORY MGET MIGRATE MODULE MONITOR MOVE MSET MSETNX MULTI OBJECT PERSIST PEXPIRE PEXPIREAT PEXPIRETIME ' +
    'PFADD PFCOUNT PFDEBUG PFMERGE PING PSETEX PSUBSCRIBE PSYNC PTTL PUBLISH PUBSUB PUNSUBSCRIBE QUIT RANDOMKEY READONLY ' +
    'READWRITE RENAME RENAMENX REPLCONF REPLICAOF RESET RESTORE ROLE RPOP RPOPLPUSH RPUSH RPUSHX SADD SAVE SCAN SCARD SCRIPT ' +
    'SDIFF SDIFFSTORE SELECT SENTINEL SET SETBIT SETEX SETNX SETRANGE SHUTDOWN SINTER SINTERCARD SINTERSTORE SISMEMBER SLAVEOF ' +
    'SLOWLOG SMEMBERS SMISMEMBER SMOVE SORT SORT_RO SPOP SPUBLISH SRANDMEMBER SREM SSCAN SSUBSCRIBE STRLEN SUBSCRIBE SUBSTR ' +
    'SUNION SUNIONSTORE SUNSUBSCRIBE SWAPDB SYNC TIME TOUCH TTL TYPE UNLINK UNSUBSCRIBE UNWATCH WAIT WAITAOF WATCH XACK XADD ' +
    'XAUTOCLAIM XCLAIM XDEL XGROUP XINFO XLEN XPENDING XRANGE XREAD XREADGROUP XREVRANGE XSETID XTRIM ZADD ZCARD ZCOUNT ZDIFF ' +
    'ZDIFFSTORE ZINCRBY ZINTER ZINTERCARD ZINTERSTORE ZLEXCOUNT ZMPOP ZMSCORE ZPOPMAX ZPOPMIN ZRANDMEMBER ZRANGE ZRANGEBYLEX ' +
    'ZRANGEBYSCORE ZRANGESTORE ZRANK ZREM ZREMRANGEBYLEX ZREMRANGEBYRANK ZREMRANGEBYSCORE ZREVRANGE ZREVRANGEBYLEX ' +
    'ZREVRANGEBYSCORE ZREVRANK ZSCAN ZSCORE ZUNION ZUNIONSTORE'
  ).split(' '),
);

/** Commands whose first argument is not a key. */
const KEYLESS = new Set(
  (
    'ACL AUTH CLIENT CLUSTER COMMAND CONFIG DEBUG ECHO EVAL EVALSHA FCALL FUNCTION HELLO INFO KEYS LATENCY MEMORY MODULE OBJECT PING ' +
    'PSUBSCRIBE PUBLISH PUBSUB PUNSUBSCRIBE REPLCONF SCAN SCRIPT SELECT SENTINEL SLOWLOG SUBSCRIBE UNSUBSCRIBE WAIT XINFO XREAD XREADGROUP'
  ).split(' '),
);

/** The key a command is about; undefined where it has none, or where several arguments name keys. */
export function keyOf(command: string, args: readonly string[]): string | undefined {
  return KEYLESS.has(command) ? undefined : args[0];
}

/** Commands in which a value follows the name of its key, or of its field. */
const WRITES = new Set('SET SETNX SETEX PSETEX GETSET MSET MSETNX HSET HMSET HSETNX HSETEX XADD APPEND'.split(' '));

/** Commands whose arguments behind the key are values of it. */
const COLLECTS = new Set(
  (
    'LPUSH LPUSHX RPUSH RPUSHX LINSERT LSET LREM LPOS SADD SREM SISMEMBER SMISMEMBER SMOVE ZADD ZREM ZSCORE ZMSCORE ZRANK ZREVRANK ' +
    'ZINCRBY SETRANGE APPEND PFADD'
  ).split(' '),
);

/** Whether what is stored at this key is a secret: `user:1:token`, `otp:1`. */
function isSecretKey(key: string): boolean {
  return key.length < 512 && key.split(/[:./|]/).some(isSecretName);
}

/** Commands of a script or function, the number of its keys, the keys, and arguments. */
const SCRIPTS = new Set('EVAL EVALSHA EVAL_RO EVALSHA_RO FCALL FCALL_RO'.split(' '));

const QUOTED = /"(?:[^"\\]|\\.)*(?:"|$)|'(?:[^'\\]|\\.)*(?:'|$)/gs;

/** A script's texts behind AUTH, or behind the name of a secret, are secrets: `redis.call('SET', 'password', 'x')`. */
function maskScript(script: string): string {
  let secret = false;
  let auth = false;
  const masked = script.replace(QUOTED, (quoted) => {
    const word = quoted.slice(1, -1);
    const hide = secret || auth;
    if (/^auth$/i.test(word)) auth = true;
    secret = isSecretName(word);
    return hide && !secret ? `${quoted[0]}${MASK}${quoted[0]}` : quoted;
  });
  return maskText(masked);
}

/** A line of MONITOR, `1339518083.107412 [0 127.0.0.1:60866] "auth" "x"`, with what is secret in its command masked. */
export function maskMonitored(line: string): string {
  const at = line.indexOf('] "');
  if (at < 0) return line;
  const words = [...line.slice(at + 2).matchAll(QUOTED)].map(([quoted]) =>
    quoted.slice(1, quoted.endsWith('"') ? -1 : undefined),
  );
  const [command = '', ...args] = words;
  const shown = masked(command.toUpperCase(), args).map((arg) => ` "${arg}"`);
  return `${line.slice(0, at + 2)}"${command}"${shown.join('')}`;
}

/** What a server repeats of a command that it does not know, or of its arguments, may be a password. */
export function maskEcho(error: string): string {
  const at = error.indexOf('args beginning with:');
  return at < 0 ? error : `${error.slice(0, at + 20)} ${MASK}`;
}

/** The arguments with what is secret in them masked. */
export function masked(command: string, args: readonly string[]): readonly string[] {
  // A mistyped AUTH as well; modules' commands have a dot.
  if (command === 'AUTH' || !(COMMANDS.has(command) || command.includes('.'))) return args.map(() => MASK);
  if (command === 'HELLO' || command === 'MIGRATE') {
    const auth = args.findIndex((arg) => /^auth2?$/i.test(arg));
    return auth < 0 ? args : [...args.slice(0, auth + 1), ...args.slice(auth + 1).map(() => MASK)];
  }
  if (SCRIPTS.has(command)) {
    const script = args[0] ?? '';
    const keys = /^\d{1,6}$/.test(args[1] ?? '') ? Number(args[1]) : 0;
    // What a script gets besides the names of keys has no name.
    return args.map((arg, index) => (index === 0 ? maskScript(script) : index < 2 + keys ? maskText(arg) : MASK));
  }
  if (command === 'SCRIPT') return args.map(maskScript);
  if (command === 'ACL') return args.map((arg, index) => (index > 0 && /^[><#!]/.test(arg) ? MASK : arg));
  const sets = (command === 'CONFIG' || command === 'SENTINEL') && args[0]?.toUpperCase() === 'SET';
  if (sets) return args.map((arg, index) => (/pass|auth$/i.test(args[index - 1] ?? '') ? MASK : maskText(arg)));
  if (COLLECTS.has(command) && isSecretKey(args[0] ?? '')) {
    return args.map((arg, index) => (index === 0 || /^-?\d{1,6}$/.test(arg) ? arg : MASK));
  }
  if (!WRITES.has(command)) return args.map(maskText);
  // Behind the name of a key or a field; SETEX has a time between.
  const apart = command.endsWith('SETEX') ? 2 : 1;
  return args.map((arg, index) => (isSecretKey(args[index - apart] ?? '') ? MASK : maskText(arg)));
}

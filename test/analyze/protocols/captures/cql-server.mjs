// Answers CQL 4 and 5 as the specification has it, as far as drivers need it to connect: node cql-server.mjs PORT. Cassandra itself cannot
// be had here.
import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { crc32 } from 'node:zlib';

const u16 = (value) => Buffer.of((value >> 8) & 0xff, value & 0xff);
const i32 = (value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const text = (value) => Buffer.concat([u16(value.length), Buffer.from(value)]);
const VARCHAR = u16(0x0d);
const UUID = u16(0x0c);
const INET = u16(0x10);
const SET = Buffer.concat([u16(0x22), VARCHAR]);
const ID = Buffer.from('00112233445566778899aabbccddeeff', 'hex');

function rows(keyspace, table, columns, all) {
  const names = columns.map(([name, type]) => Buffer.concat([text(name), type]));
  const cells = all.flatMap((row) =>
    row.map((cell) => (cell === null ? i32(-1) : Buffer.concat([i32(cell.length), cell]))),
  );
  return Buffer.concat([
    i32(2),
    i32(1),
    i32(columns.length),
    text(keyspace),
    text(table),
    ...names,
    i32(all.length),
    ...cells,
  ]);
}

const token = Buffer.concat([i32(1), i32(1), Buffer.from('0')]);
const LOCAL = [
  ['key', VARCHAR, Buffer.from('local')],
  ['cluster_name', VARCHAR, Buffer.from('shop')],
  ['data_center', VARCHAR, Buffer.from('dc1')],
  ['rack', VARCHAR, Buffer.from('r1')],
  ['release_version', VARCHAR, Buffer.from('4.1.0')],
  ['partitioner', VARCHAR, Buffer.from('org.apache.cassandra.dht.Murmur3Partitioner')],
  ['tokens', SET, token],
  ['host_id', UUID, ID],
  ['schema_version', UUID, ID],
  ['rpc_address', INET, Buffer.of(127, 0, 0, 1)],
  ['broadcast_address', INET, Buffer.of(127, 0, 0, 1)],
];
const columns = LOCAL.map(([name, type]) => [name, type]);

function answer(opcode, body, version, state) {
  const error = (code, message, ...more) => [0x00, Buffer.concat([i32(code), text(message), ...more])];
  const statementAt = (at) => body.toString('utf8', at + 4, at + 4 + body.readInt32BE(at));
  const run = (statement) => {
    if (/FROM system\.local/i.test(statement))
      return [0x08, rows('system', 'local', columns, [LOCAL.map(([, , cell]) => cell)])];
    if (/FROM system/i.test(statement)) return [0x08, rows('system', 'peers', columns, [])];
    if (/^SELEKT/i.test(statement)) return error(0x2000, "line 1:0 no viable alternative at input 'SELEKT'");
    if (/missing/.test(statement)) return error(0x2200, 'table missing does not exist');
    if (/slow/.test(statement)) return error(0x1200, 'Operation timed out', u16(1), i32(0), i32(1), Buffer.of(0));
    if (/^USE (\w+)/i.test(statement)) {
      state.keyspace = /^USE (\w+)/i.exec(statement)[1];
      return [0x08, Buffer.concat([i32(3), text(state.keyspace)])];
    }
    if (/^SELECT/i.test(statement)) {
      const found = Array.from({ length: /large/.test(statement) ? 300 : 2 }, (_, n) => [
        Buffer.from(`order ${n} ${'x'.repeat(600)}`),
      ]);
      return [0x08, rows('shop', 'orders', [['name', VARCHAR]], /large/.test(statement) ? found : found.slice(0, 2))];
    }
    return [0x08, i32(1)];
  };
  switch (opcode) {
    case 0x05:
      return [0x06, Buffer.concat([u16(2), text('CQL_VERSION'), u16(1), text('3.4.5'), text('COMPRESSION'), u16(0)])];
    case 0x01:
      return [0x03, text('org.apache.cassandra.auth.PasswordAuthenticator')];
    case 0x0f:
      return body.includes('hunter2-right')
        ? [0x10, i32(-1)]
        : error(0x0100, 'Provided username shop and/or password are incorrect');
    case 0x0b:
      return [0x02, Buffer.alloc(0)];
    case 0x07:
      return run(statementAt(0));
    case 0x09: {
      const statement = statementAt(0);
      const id = createHash('md5')
        .update(state.keyspace + statement)
        .digest();
      state.prepared.set(id.toString('hex'), statement);
      const spec = Buffer.concat([i32(1), i32(1), i32(0), text('shop'), text('orders'), text('id'), VARCHAR]);
      const more = version === 5 ? [u16(16), ID] : [];
      return [0x08, Buffer.concat([i32(4), u16(16), id, ...more, spec, i32(4), i32(0)])];
    }
    case 0x0a: {
      const statement = state.prepared.get(body.toString('hex', 2, 18));
      return statement === undefined ? error(0x2500, 'unknown', u16(16), body.subarray(2, 18)) : run(statement);
    }
    default:
      return [0x08, i32(1)];
  }
}

function crc24(head) {
  let crc = 0x875060;
  for (const byte of head) {
    crc ^= byte << 16;
    for (let bit = 0; bit < 8; bit += 1) {
      crc <<= 1;
      if ((crc & 0x1000000) !== 0) crc ^= 0x1974f0b;
    }
  }
  return Buffer.of(crc & 0xff, (crc >> 8) & 0xff, (crc >> 16) & 0xff);
}

function segments(frame) {
  const parts = [];
  const isWhole = frame.length < 0x1ffff;
  for (let at = 0; at < frame.length; at += 0x1ffff) {
    const payload = frame.subarray(at, at + 0x1ffff);
    const value = payload.length | (isWhole ? 1 << 17 : 0);
    const head = Buffer.of(value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff);
    const sum = Buffer.alloc(4);
    sum.writeUInt32LE(crc32(payload, crc32(Buffer.of(0xfa, 0x2d, 0x55, 0xca))));
    parts.push(head, crc24(head), payload, sum);
  }
  return Buffer.concat(parts);
}

createServer((socket) => {
  let raw = Buffer.alloc(0);
  let frames = Buffer.alloc(0);
  let isSegmented = false;
  const state = { keyspace: '', prepared: new Map() };
  socket.on('error', () => {});
  socket.on('data', (data) => {
    raw = Buffer.concat([raw, data]);
    if (isSegmented) {
      while (raw.length >= 6) {
        const length = raw.readUIntLE(0, 3) & 0x1ffff;
        if (raw.length < 10 + length) break;
        frames = Buffer.concat([frames, raw.subarray(6, 6 + length)]);
        raw = raw.subarray(10 + length);
      }
    } else {
      frames = Buffer.concat([frames, raw]);
      raw = Buffer.alloc(0);
    }
    while (frames.length >= 9 && frames.length >= 9 + frames.readInt32BE(5)) {
      const version = frames[0];
      const length = frames.readInt32BE(5);
      const body = frames.subarray(9, 9 + length);
      const [opcode, told] = answer(frames[4], body, version, state);
      const head = Buffer.concat([
        Buffer.of(0x80 | version, 0),
        frames.subarray(2, 4),
        Buffer.of(opcode),
        i32(told.length),
      ]);
      const frame = Buffer.concat([head, told]);
      socket.write(isSegmented ? segments(frame) : frame);
      if (version === 5 && frames[4] === 0x01) isSegmented = true;
      frames = frames.subarray(9 + length);
    }
  });
}).listen(Number(process.argv[2]), '127.0.0.1');

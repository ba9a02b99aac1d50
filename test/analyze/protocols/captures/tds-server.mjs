// Answers TDS 7.4 as MS-TDS has it, as far as a driver needs it: node tds-server.mjs PORT. SQL Server itself cannot be had here.
import { createServer } from 'node:net';

const u16 = (value) => Buffer.of(value & 0xff, (value >> 8) & 0xff);
const u32 = (value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const wide = (text) => Buffer.from(text, 'utf16le');
const token = (id, ...parts) => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(id), u16(body.length), body]);
};
const done = (flags, rows, id = 0xfd) => Buffer.concat([Buffer.of(id), u16(flags), u16(0xc1), u32(rows), u32(0)]);
const error = (number, text, id = 0xfd) =>
  Buffer.concat([
    token(
      0xaa,
      u32(number),
      Buffer.of(1, 16),
      u16(text.length),
      wide(text),
      Buffer.of(2),
      wide('db'),
      Buffer.of(0),
      u32(1),
    ),
    done(2, 0, id),
  ]);

function rows(count, size, id) {
  const head = Buffer.concat([
    Buffer.of(0x81),
    u16(1),
    u32(0),
    u16(9),
    Buffer.of(0xe7),
    u16(8000),
    Buffer.alloc(5),
    Buffer.of(4),
    wide('name'),
  ]);
  const all = Array.from({ length: count }, (_, n) => {
    const value = wide(`order ${n} ${'x'.repeat(size)}`);
    return Buffer.concat([Buffer.of(0xd1), u16(value.length), value]);
  });
  const state = id === 0xfe ? Buffer.concat([Buffer.of(0x79), u32(0)]) : Buffer.alloc(0);
  return Buffer.concat([head, ...all, state, done(0x10, count, id)]);
}

function run(text, id) {
  if (/missing/.test(text)) return error(208, "Invalid object name 'missing'.", id);
  if (/large/.test(text)) return rows(40, 300, id);
  if (/SELECT/i.test(text)) return rows(2, 5, id);
  return done(/INSERT/i.test(text) ? 0x10 : 0, 1, id);
}

function answer(type, payload) {
  if (type === 0x12) {
    const head = Buffer.of(0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff);
    return Buffer.concat([head, Buffer.of(16, 0, 0, 1, 0, 0), Buffer.of(2)]);
  }
  if (type === 0x10) {
    const user = payload.toString(
      'utf16le',
      payload.readUInt16LE(40),
      payload.readUInt16LE(40) + 2 * payload.readUInt16LE(42),
    );
    if (user !== 'shop') return error(18456, `Login failed for user '${user}'.`);
    const name = 'Microsoft SQL Server';
    return Buffer.concat([
      token(0xe3, Buffer.of(4, 4), wide('4096'), Buffer.of(4), wide('4096')),
      token(0xad, Buffer.of(1, 0x74, 0, 0, 4, name.length), wide(name), Buffer.of(16, 0, 0, 1)),
      done(0, 0),
    ]);
  }
  if (type === 0x0e) {
    const kind = payload.readUInt16LE(payload.readUInt32LE(0));
    const id = Buffer.from('0100000000000000', 'hex');
    const change =
      kind === 5
        ? token(0xe3, Buffer.of(8, 8), id, Buffer.of(0))
        : token(0xe3, Buffer.of(kind === 7 ? 9 : 10, 0, 8), id);
    return Buffer.concat([change, done(0, 0)]);
  }
  return run(payload.toString('utf16le', payload.length % 2), type === 0x03 ? 0xfe : 0xfd);
}

createServer((socket) => {
  let raw = Buffer.alloc(0);
  let parts = [];
  socket.on('error', () => {});
  socket.on('data', (data) => {
    raw = Buffer.concat([raw, data]);
    while (raw.length >= 8 && raw.length >= raw.readUInt16BE(2)) {
      const length = raw.readUInt16BE(2);
      parts.push(raw.subarray(8, length));
      if ((raw[1] & 1) !== 0) {
        const told = answer(raw[0], Buffer.concat(parts));
        parts = [];
        for (let at = 0, number = 1; at < told.length; at += 4088, number += 1) {
          const payload = told.subarray(at, at + 4088);
          const isLast = at + 4088 >= told.length;
          socket.write(
            Buffer.concat([
              Buffer.of(4, isLast ? 1 : 0, (payload.length + 8) >> 8, (payload.length + 8) & 0xff, 0, 51, number, 0),
              payload,
            ]),
          );
        }
      }
      raw = raw.subarray(length);
    }
  });
}).listen(Number(process.argv[2]), '127.0.0.1');

/** Packets of MySQL's protocol, as tests need them. */
export function packet(sequence: number, body: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUIntLE(body.length, 0, 3);
  head[3] = sequence & 0xff;
  return Buffer.concat([head, body]);
}

export function command(code: number, body: Buffer | string = ''): Buffer {
  return packet(0, Buffer.concat([Buffer.of(code), Buffer.from(body)]));
}

export function ok(sequence: number, affected = 0): Buffer {
  return packet(sequence, Buffer.from([0, affected, 0, 2, 0, 0, 0]));
}

export function error(sequence: number, code: number, words: string): Buffer {
  return packet(sequence, Buffer.concat([Buffer.of(0xff, code & 0xff, code >> 8), Buffer.from(`#HY000${words}`)]));
}

function column(sequence: number, name: string): Buffer {
  const texts = ['def', '', '', '', name, name].map((text) =>
    Buffer.concat([Buffer.of(text.length), Buffer.from(text)]),
  );
  return packet(sequence, Buffer.concat([...texts, Buffer.from([12, 33, 0, 10, 0, 0, 0, 253, 0, 0, 0, 0, 0])]));
}

/** @param deprecated no EOF behind columns, and an OK behind rows */
export function result(columns: readonly string[], rows: number, deprecated: boolean): Buffer {
  const packets: Buffer[] = [packet(1, Buffer.of(columns.length))];
  const next = () => packets.length + 1;
  for (const name of columns) packets.push(column(next(), name));
  const eof = () => packet(next(), Buffer.from([0xfe, 0, 0, 2, 0]));
  if (!deprecated) packets.push(eof());
  for (let row = 0; row < rows; row += 1) packets.push(packet(next(), Buffer.from('\x01a'.repeat(columns.length))));
  packets.push(deprecated ? packet(next(), Buffer.from([0xfe, 0, 0, 2, 0, 0, 0])) : eof());
  return Buffer.concat(packets);
}

/** What answers a COM_STMT_PREPARE. */
export function prepared(statement: number, columns: number, parameters: number, deprecated: boolean): Buffer {
  const head = Buffer.from([0, statement, 0, 0, 0, columns, 0, parameters, 0, 0, 0, 0]);
  const packets = [packet(1, head)];
  for (const count of [parameters, columns]) {
    for (let index = 0; index < count; index += 1) packets.push(column(packets.length + 1, '?'));
    if (count > 0 && !deprecated) packets.push(packet(packets.length + 1, Buffer.from([0xfe, 0, 0, 2, 0])));
  }
  return Buffer.concat(packets);
}

export function greeting(): Buffer {
  const rest = Buffer.concat([
    Buffer.from('8.0.30\0\x01\0\0\x0012345678\0', 'latin1'),
    Buffer.from([0xff, 0xff, 33, 2, 0, 0xff, 0xff, 21]),
    Buffer.alloc(10),
    Buffer.from('123456789012\0'),
  ]);
  return packet(0, Buffer.concat([Buffer.of(10), rest]));
}

/** A login of the user `shop`. @param capability what is agreed on besides */
export function login(capability: number): Buffer {
  const fixed = Buffer.alloc(32);
  fixed.writeUInt32LE((0x0200 | 0x8000 | 0x2000 | capability) >>> 0, 0);
  return packet(1, Buffer.concat([fixed, Buffer.from('shop\0'), Buffer.of(20), Buffer.alloc(20, 7)]));
}

import type { Random } from './random.ts';

/** Writes pcapng blocks of either byte order for tests (draft-ietf-opsawg-pcapng), apart from src/wire. */
export class Blocks {
  readonly #little: boolean;

  constructor(littleEndian: boolean) {
    this.#little = littleEndian;
  }

  u16(...values: number[]): Buffer {
    const bytes = Buffer.alloc(values.length * 2);
    for (const [at, value] of values.entries()) {
      if (this.#little) bytes.writeUInt16LE(value, at * 2);
      else bytes.writeUInt16BE(value, at * 2);
    }
    return bytes;
  }

  u32(...values: number[]): Buffer {
    const bytes = Buffer.alloc(values.length * 4);
    for (const [at, value] of values.entries()) {
      if (this.#little) bytes.writeUInt32LE(value >>> 0, at * 4);
      else bytes.writeUInt32BE(value >>> 0, at * 4);
    }
    return bytes;
  }

  option(code: number, value: Uint8Array): Buffer {
    return Buffer.concat([this.u16(code, value.length), padded(value)]);
  }

  block(type: number, ...parts: Uint8Array[]): Buffer {
    const body = padded(Buffer.concat(parts));
    const length = this.u32(body.length + 12);
    return Buffer.concat([this.u32(type), length, body, length]);
  }

  section(): Buffer {
    const unknownLength = this.u32(0xffffffff, 0xffffffff);
    return this.block(
      0x0a0d0d0a,
      this.u32(0x1a2b3c4d),
      this.u16(1, 0),
      unknownLength,
      this.option(4, Buffer.from('tests')),
    );
  }

  /** @param resolution if_tsresol @param offset if_tsoffset, seconds */
  interface(linkType: number, snaplen: number, resolution: number, offset: number): Buffer {
    const seconds = this.#little ? this.u32(offset, 0) : this.u32(0, offset);
    const options = [
      this.option(2, Buffer.from('eth0')),
      this.option(9, Buffer.of(resolution)),
      this.option(14, seconds),
    ];
    return this.block(1, this.u16(linkType, 0), this.u32(snaplen), ...options, this.option(0, Buffer.alloc(0)));
  }

  enhanced(interfaceId: number, ticks: bigint, data: Uint8Array, origlen: number, ...options: Buffer[]): Buffer {
    const head = this.u32(interfaceId, Number(ticks >> 32n), Number(ticks & 0xffff_ffffn), data.length, origlen);
    return this.block(6, head, padded(data), ...options);
  }

  simple(data: Uint8Array): Buffer {
    return this.block(3, this.u32(data.length), data);
  }

  obsolete(interfaceId: number, ticks: bigint, data: Uint8Array): Buffer {
    const head = this.u32(Number(ticks >> 32n), Number(ticks & 0xffff_ffffn), data.length, data.length);
    return this.block(2, this.u16(interfaceId, 0xffff), head, padded(data));
  }
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}

/** Sections of either byte order with interfaces of odd resolutions and every kind of block between their packets. */
export function anyPcapng(random: Random): Buffer {
  const parts: Buffer[] = [];
  for (let section = 0; section <= random.below(3); section += 1) {
    const blocks = new Blocks(random.below(2) === 0);
    parts.push(blocks.section());
    const interfaces = 1 + random.below(3);
    for (let id = 0; id < interfaces; id += 1) {
      const resolution = [6, 9, 3, 0, 0x80 | 20, 0x80 | 30, 12][random.below(7)] ?? 6;
      parts.push(
        blocks.interface(
          [1, 113, 276, 101][random.below(4)] ?? 1,
          random.below(2) * 60,
          resolution,
          random.below(2) * 7,
        ),
      );
    }
    for (let count = random.below(20); count > 0; count -= 1) parts.push(anyBlock(blocks, interfaces, random));
  }
  return Buffer.concat(parts);
}

function anyBlock(blocks: Blocks, interfaces: number, random: Random): Buffer {
  const data = Buffer.from(Array.from({ length: random.below(120) }, () => random.below(256)));
  const id = random.below(interfaces);
  const ticks = (BigInt(random.below(2 ** 20)) << 32n) | BigInt(random.below(2 ** 32));
  switch (random.below(9)) {
    case 0:
      return blocks.simple(data);
    case 1:
      return blocks.obsolete(id, ticks, data);
    // Names, statistics, decryption secrets, custom blocks, a journal entry, one that nobody knows.
    case 2:
      return blocks.block(4, blocks.u16(1, 8), Buffer.from([10, 0, 0, 1, 97, 98, 99, 0]), blocks.u16(0, 0));
    case 3:
      return blocks.block(5, blocks.u32(id, 0, 1), blocks.option(4, Buffer.alloc(8, 1)));
    case 4:
      return blocks.block([10, 0xbad, 0x40000bad, 9, 0x80001234][random.below(5)] ?? 9, data);
    case 5: {
      const comment = blocks.option(1, Buffer.from('seen'));
      return blocks.enhanced(id, ticks, data, data.length + 9, comment, blocks.option(2, blocks.u32(random.below(4))));
    }
    default:
      return blocks.enhanced(id, ticks, data, data.length);
  }
}

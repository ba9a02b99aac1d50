import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { afterAll, expect, test, vi } from 'vitest';
import { Allowance, type AllowanceOptions } from '../../../src/agent/spool/allowance.ts';
import { DiskBudget } from '../../../src/agent/spool/disk-budget.ts';
import { Spool } from '../../../src/agent/spool/spool.ts';
import { SpoolFile } from '../../../src/agent/spool/spool-file.ts';
import { PacketWriter } from '../../../src/agent/tcpdump/packet-writer.ts';
import { CaptureFramer } from '../../../src/wire/capture-read.ts';
import { COALESCE_MS } from '../../../src/wire/limits.ts';
import { interfaceDescription, sectionHeader } from '../../../src/wire/pcapng-write.ts';
import { Random } from '../../support/random.ts';

const MIB = 1024 * 1024;
const directory = mkdtempSync(join(tmpdir(), 'ksnoop-spool-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** A reader that takes nothing until it is let, then at its own pace. */
class SlowReader {
  readonly numbers: number[] = [];
  readonly stdout: Writable;
  open = false;
  #wake: (() => void) | undefined;
  readonly #framer = new CaptureFramer({
    interface: () => {},
    packet: (bytes, offset) => {
      this.numbers.push(new DataView(bytes.buffer, bytes.byteOffset + offset).getUint32(0));
    },
  });

  constructor(random: Random) {
    this.stdout = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        const take = () => {
          // A reader that keeps the memory for itself would not notice that it is used again.
          this.#framer.push(Uint8Array.from(chunk));
          setTimeout(done, random.below(3));
        };
        if (this.open) take();
        else this.#wake = take;
      },
    });
  }

  letGo(): void {
    this.open = true;
    this.#wake?.();
    this.#wake = undefined;
  }
}

/** A session's part of the memory that asks for each step. */
function granting(grant: (bytes: number) => boolean) {
  return { allow: (options: Omit<AllowanceOptions, 'grant'>) => new Allowance({ ...options, grant }) };
}

/** Push packets that are numbered, of any size; the numbers of those that were taken. */
async function pushed(spool: Spool, random: Random, bytes: number, during: () => void): Promise<number[]> {
  spool.push(sectionHeader('Linux'));
  spool.push(interfaceDescription({ linkType: 1, snaplen: 262_144, name: 'a', description: '', filter: undefined }));
  const data = new Uint8Array(300_000);
  const taken: number[] = [];
  let total = 0;
  for (let number = 0; total < bytes; number += 1) {
    const length = random.below(50) === 0 ? 4 + random.below(290_000) : 4 + random.below(3_000);
    new DataView(data.buffer).setUint32(0, number);
    if (spool.pushPacket(0, 0, number, length, length, 0, data, 0)) taken.push(number);
    total += length;
    if (random.below(200) === 0) await sleep(1);
    if (number === 2_000) during();
  }
  return taken;
}

test.each([1, 2, 3, 4])(
  'what memory does not hold goes to disk and comes in order, nothing lost, nothing twice (%i)',
  async (seed) => {
    const random = new Random(seed);
    const reader = new SlowReader(random);
    const file = new SpoolFile(directory, new DiskBudget(24 * MIB, 24 * MIB));
    const spool = new Spool(reader.stdout, { bound: 4 * MIB, keep: MIB, file });
    expect(readdirSync(directory)).toEqual([]);
    let most = 0;
    const taken = await pushed(spool, random, 60 * MIB, () => {
      most = spool.waiting;
      if (seed % 2 === 0) reader.letGo();
    });
    most = Math.max(most, spool.waiting);
    reader.letGo();
    await spool.drained();
    expect(reader.numbers).toEqual(taken);
    expect(spool.waiting).toBe(0);
    // More than memory may hold has waited.
    if (seed % 2 === 1) expect(most).toBeGreaterThan(4 * MIB);
  },
  60_000,
);

test('without a disk memory is the bound', async () => {
  const random = new Random(5);
  const reader = new SlowReader(random);
  const spool = new Spool(reader.stdout, { bound: 4 * MIB });
  const taken = await pushed(spool, random, 20 * MIB, () => {});
  expect(spool.waiting).toBeLessThanOrEqual(4 * MIB + 1024);
  reader.letGo();
  await spool.drained();
  expect(reader.numbers).toEqual(taken);
});

test('a disk that fails is told of once, and what is there already is not lost', async () => {
  const random = new Random(6);
  const reader = new SlowReader(random);
  const file = new SpoolFile(directory, new DiskBudget(64 * MIB, 64 * MIB));
  const write = file.write.bind(file);
  let writes = 0;
  file.write = (slot, bytes) => {
    writes += 1;
    return writes > 8 ? Promise.reject(new Error('ENOSPC: no space left on device')) : write(slot, bytes);
  };
  const told: string[] = [];
  const spool = new Spool(reader.stdout, { bound: 4 * MIB, keep: MIB, file, fileFailed: (why) => told.push(why) });
  const taken = await pushed(spool, random, 30 * MIB, () => {});
  reader.letGo();
  await spool.drained();
  expect(reader.numbers).toEqual(taken);
  expect(told).toEqual(['ENOSPC: no space left on device']);
});

test('memory is taken in steps that are granted; where none is, what waits goes to disk, and nothing is lost while it has room', async () => {
  const random = new Random(7);
  const reader = new SlowReader(random);
  const file = new SpoolFile(directory, new DiskBudget(64 * MIB, 64 * MIB));
  let granted = 0;
  const grant = (bytes: number) => {
    if (granted >= 4 * MIB) return false;
    granted += bytes;
    return true;
  };
  const spool = new Spool(reader.stdout, { bound: 64 * MIB, keep: 32 * MIB, file, memory: granting(grant) });
  const data = new Uint8Array(1_400);
  const write = (number: number) => {
    new DataView(data.buffer).setUint32(0, number);
    return spool.pushPacket(0, 0, number, data.length, data.length, 0, data, 0);
  };
  spool.push(sectionHeader('Linux'));
  spool.push(interfaceDescription({ linkType: 1, snaplen: 262_144, name: 'a', description: '', filter: undefined }));
  let first = 0;
  while (write(first)) first += 1;
  expect(first * data.length).toBeLessThan(5 * MIB);
  expect(first * data.length).toBeGreaterThan(4 * MIB);
  // The packet was refused, and what waits is on its way to the disk: there is room again.
  const taken = Array.from({ length: first }, (_, number) => number);
  for (let number = first + 1; taken.length < 3 * first; number += 1) {
    if (write(number)) taken.push(number);
    else await sleep(5);
  }
  expect(granted).toBe(4 * MIB);
  reader.letGo();
  await spool.drained();
  expect(reader.numbers).toEqual(taken);
  spool.close();
});

test.each([8, 9, 10])(
  'every packet is written once or counted as dropped, also where memory is refused within a batch (%i)',
  async (seed) => {
    const random = new Random(seed);
    const reader = new SlowReader(random);
    reader.letGo();
    const file = new SpoolFile(directory, new DiskBudget(4 * MIB, 4 * MIB));
    const memory = granting(() => random.below(3) === 0);
    const spool = new Spool(reader.stdout, { bound: 6 * MIB, keep: 2 * MIB, file, memory });
    spool.push(sectionHeader('Linux'));
    spool.push(interfaceDescription({ linkType: 1, snaplen: 262_144, name: 'a', description: '', filter: undefined }));
    const writer = new PacketWriter(spool, 0, 1);
    const data = new Uint8Array(300_000);
    const dropped: number[] = [];
    let number = 0;
    for (let bytes = 0; bytes < 80 * MIB; number += 1) {
      const length = random.below(40) === 0 ? 4 + random.below(290_000) : 4 + random.below(3_000);
      new DataView(data.buffer).setUint32(0, number);
      const before = writer.dropped;
      writer.write(1, number, length, length, data, 0);
      if (writer.dropped > before) dropped.push(number);
      bytes += length;
      if (random.below(300) === 0) await sleep(1);
    }
    await spool.drained();
    expect(dropped.length).toBeGreaterThan(0);
    expect(writer.captured + writer.dropped).toBe(number);
    expect(reader.numbers).toHaveLength(writer.captured);
    const both = [...reader.numbers, ...dropped].sort((one, other) => one - other);
    expect(both).toEqual(Array.from({ length: number }, (_, index) => index));
    spool.close();
  },
);

test('the first packets leave at once, also just after the block of their interface, and those after them together', async () => {
  const written: number[] = [];
  const spool = new Spool(
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        written.push(chunk.length);
        done();
      },
    }),
  );
  const data = new Uint8Array(100);
  const push = () => {
    spool.pushPacket(0, 0, 0, data.length, data.length, 0, data, 0);
    spool.scheduleFlush();
  };
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  try {
    vi.advanceTimersByTime(COALESCE_MS);
    spool.push(sectionHeader('Linux'));
    // Waits for its time; the first packet takes it along.
    spool.push(interfaceDescription({ linkType: 1, snaplen: 262_144, name: 'a', description: '', filter: undefined }));
    await turn();
    expect(written).toHaveLength(1);
    push();
    await turn();
    expect(written).toHaveLength(2);
    push();
    push();
    await turn();
    expect(written).toHaveLength(2);
    vi.advanceTimersByTime(COALESCE_MS);
    await turn();
    expect(written).toHaveLength(3);
  } finally {
    vi.useRealTimers();
    spool.close();
  }
});

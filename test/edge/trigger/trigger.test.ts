import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { TriggerReport } from '../../../src/agent/recording/trigger-messages.ts';
import { Trigger } from '../../../src/edge/trigger/trigger.ts';
import { CaptureFramer } from '../../../src/wire/capture-read.ts';
import { BUILT_EPOCH_NS, type BuiltSegment, builtPcapng } from '../../support/built-capture.ts';

let directory: string;
let reports: TriggerReport[];
/** Milliseconds since the capture's beginning. */
let now = 0;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ksnoop-trigger-'));
  reports = [];
});
afterEach(() => rmSync(directory, { recursive: true }));

/** A connection with one exchange, 100 ms after its SYN. */
function exchange(port: number, at: number, status: number): BuiltSegment[] {
  const ports = [port, 80] as const;
  const request = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';
  const response = `HTTP/1.1 ${status} X\r\ncontent-length: 0\r\n\r\n`;
  return [
    { side: 0, sequence: 100, flags: 'S', at, ports },
    { side: 1, sequence: 500, acknowledgment: 101, flags: 'S.', at: at + 1, ports },
    { side: 0, sequence: 101, acknowledgment: 501, at: at + 2, ports },
    { side: 0, sequence: 101, acknowledgment: 501, payload: request, at: at + 100, ports },
    { side: 1, sequence: 501, acknowledgment: 101 + request.length, payload: response, at: at + 110, ports },
  ];
}

function begun(afterMs = 5, keptPieces = 10): Trigger {
  const trigger = { where: 'http.status >= 500', beforeMs: 5, afterMs };
  const data = { directory, trigger, keptBytes: 1_000_000, keptPieces, nextKept: 1 };
  const epoch = Number(BUILT_EPOCH_NS / 1_000_000n);
  return new Trigger(
    data,
    (report) => reports.push(report),
    () => epoch + now,
  );
}

/** Write a piece, and have it evaluated. */
function evaluate(trigger: Trigger, segments: readonly BuiltSegment[], piece = '00001.pcapng'): void {
  const bytes = builtPcapng(
    [...segments].sort((a, b) => a.at - b.at),
    ['shop/web/any'],
  );
  writeFileSync(join(directory, piece), bytes);
  trigger.grew(piece, 0, bytes.length);
}

/** Client ports of the packets in the kept pieces. */
function kept(): number[] {
  const ports: number[] = [];
  for (const report of reports) {
    if (report.type !== 'kept') continue;
    const framer = new CaptureFramer({
      interface: () => {},
      packet: (bytes, offset) => {
        const view = new DataView(bytes.buffer, bytes.byteOffset + offset);
        ports.push(Math.max(view.getUint16(34), view.getUint16(36)));
      },
    });
    framer.push(readFileSync(join(directory, report.piece.name)));
  }
  return ports;
}

const problems = () => reports.flatMap((report) => (report.type === 'problem' ? report.message : []));

test('the connection of a match is kept from its SYN, and what is in the window, and nothing else', () => {
  const trigger = begun();
  evaluate(trigger, [...exchange(1001, 0, 500), ...exchange(1002, 10, 200), ...exchange(1003, 5_000, 200)]);
  expect(reports).toEqual([{ type: 'fired', count: 1 }]);
  now = 200;
  trigger.look();
  expect(kept()).toEqual([]);
  now = 3_000;
  trigger.look();
  // Of the second one, its request comes in the window.
  expect(kept().sort()).toEqual([1001, 1001, 1001, 1001, 1001, 1002]);
  trigger.end();
  expect(kept()).toHaveLength(6);
  expect(problems()).toEqual([]);
});

test('packets that are kept already are not kept again', () => {
  const trigger = begun(300);
  evaluate(trigger, [...exchange(1001, 0, 500), ...exchange(1002, 50, 500), ...exchange(1003, 4_000, 500)]);
  now = 3_400;
  trigger.look();
  trigger.end();
  expect(kept().sort()).toEqual([1001, 1002, 1003].flatMap((port) => new Array(5).fill(port)));
  expect(reports.filter(({ type }) => type === 'kept')).toHaveLength(2);
});

test('a connection that was in an earlier window is kept with the rest of it', () => {
  const trigger = begun(300);
  // The first window ends at 410 ms, within the second connection, whose exchange is at 415 ms.
  const second = exchange(1002, 315, 500);
  evaluate(trigger, [...exchange(1001, 0, 500), ...second.slice(0, 3)]);
  now = 3_400;
  trigger.look();
  expect(kept().sort()).toEqual([1001, 1001, 1001, 1001, 1001, 1002, 1002, 1002]);
  evaluate(trigger, second.slice(3), '00002.pcapng');
  trigger.end();
  expect(kept().sort()).toEqual([1001, 1002].flatMap((port) => new Array(5).fill(port)));
});

test('what the ring has replaced, and what there is no room for, is reported', () => {
  const trigger = begun();
  evaluate(trigger, exchange(1001, 0, 500));
  trigger.gone('00001.pcapng');
  trigger.end();
  expect(kept()).toEqual([]);
  expect(problems()).toEqual([
    'The ring was too small: some packets before an exchange were replaced already.',
    'Packets around an exchange were not found in the ring.',
  ]);
  reports = [];
  const none = begun(5, 0);
  evaluate(none, exchange(1001, 0, 500));
  none.end();
  expect(problems()).toEqual(['0 pieces were kept, and no more are: packets around later exchanges are not.']);
});

test('a piece that was replaced before it was evaluated is reported', () => {
  const trigger = begun();
  trigger.grew('00009.pcapng', 0, 1_000);
  expect(problems()).toEqual([
    'The trigger is slower than the traffic: 1000 bytes were replaced before they were evaluated.',
  ]);
});

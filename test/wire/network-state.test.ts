import { expect, test } from 'vitest';
import { CaptureFramer } from '../../src/wire/capture-read.ts';
import { type NetworkState, STATE_MAXIMUM, stateBlock, type TimedState } from '../../src/wire/network-state.ts';
import { describe, end, header, packet } from '../support/pcapng-sample.ts';

const STATE: NetworkState = {
  counters: { 'Tcp RetransSegs': 7, 'TcpExt ListenOverflows': 3 },
  interfaces: [
    {
      name: 'eth0',
      receivedBytes: 1,
      receivedPackets: 2,
      receiveErrors: 3,
      receiveDropped: 4,
      sentBytes: 5,
      sentPackets: 6,
      sendErrors: 7,
      sendDropped: 8,
    },
  ],
  listening: [{ address: '::', port: 8080, queue: 2 }],
  connections: { established: 4 },
  socketsCut: true,
  conntrack: { count: 10, maximum: 20 },
};

const TIME = 1_700_000_000_123_000_000n;

function statesIn(...blocks: Uint8Array[]): TimedState[] {
  const states: TimedState[] = [];
  const framer = new CaptureFramer({ interface: () => {}, packet: () => {}, state: (state) => states.push(state) });
  for (const block of blocks) framer.push(block);
  return states;
}

function block(state: unknown, interfaceId = 0): Uint8Array {
  const made = stateBlock({ interfaceId, time: TIME, state: state as NetworkState });
  if (made === undefined) throw new Error('too long');
  return made;
}

test('a state is read as it was written, of the interface that it belongs to in all of the file', () => {
  const [state] = statesIn(
    header(),
    describe('a'),
    packet(0, 1n, Buffer.alloc(4)),
    end(),
    header(),
    describe('b'),
    block(STATE),
  );
  expect(state).toEqual({ interfaceId: 1, time: TIME, state: STATE });
});

test('what has other types is left out, and a state of no interface too', () => {
  const odd = { counters: { a: 'x', b: null, c: 1 }, listening: [1, { address: 4 }], interfaces: 'no', conntrack: {} };
  expect(statesIn(header(), describe('a'), block(odd))[0]?.state).toEqual({ counters: { c: 1 }, listening: [] });
  expect(statesIn(header(), describe('a'), block([1]))).toEqual([]);
  expect(statesIn(header(), describe('a'), block(STATE, 5))).toEqual([]);
});

test('every damage of the block is passed over', () => {
  const whole = block(STATE);
  for (let at = 8; at < whole.length - 4; at++) {
    const damaged = Buffer.from(whole);
    damaged[at] = (damaged[at] ?? 0) ^ 0xff;
    expect(() => statesIn(header(), describe('a'), damaged, packet(0, 1n, Buffer.alloc(4)))).not.toThrow();
  }
});

test('a state that is too long is not written', () => {
  const name = 'x'.repeat(STATE_MAXIMUM);
  expect(stateBlock({ interfaceId: 0, time: 0n, state: { counters: { [name]: 1 } } })).toBeUndefined();
});

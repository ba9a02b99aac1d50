import { expect, test } from 'vitest';
import { AnalysisSession } from '../../../src/analyze/engine/session.ts';
import type { FlowFacts } from '../../../src/analyze/flow/flow-facts.ts';
import { interfaceDescription, sectionHeader } from '../../../src/wire/pcapng-write.ts';
import { plainSettings } from '../../support/analysis-session.ts';
import { type BuiltSegment, builtBlocks, tcpFrame } from '../../support/built-capture.ts';

const ETHERNET = 14;
const TO_OTHERS = 3;
const OUTGOING = 4;

/** A segment as a cooked packet (LINKTYPE_LINUX_SLL) at an interface. @param type PACKET_ of linux/if_packet.h */
function cooked(segment: BuiltSegment, type: number): Buffer {
  const header = Buffer.from('00000001000602000000000100000800', 'hex');
  header.writeUInt16BE(type, 0);
  const data = Buffer.concat([header, tcpFrame(segment).subarray(ETHERNET)]);
  const [block] = builtBlocks([segment]);
  if (block === undefined) throw new Error('no block');
  const padded = Math.ceil(data.length / 4) * 4;
  const whole = Buffer.alloc(32 + padded + 12);
  block.copy(whole, 0, 0, 20);
  whole.writeUInt32LE(whole.length, 4);
  whole.writeUInt32LE(data.length, 20);
  whole.writeUInt32LE(data.length, 24);
  data.copy(whole, 28);
  whole.writeUInt16LE(2, 28 + padded);
  whole.writeUInt16LE(4, 30 + padded);
  whole.writeUInt32LE(type === OUTGOING ? 2 : 1, 32 + padded);
  whole.writeUInt32LE(whole.length, whole.length - 4);
  return whole;
}

function analysed(...blocks: readonly Buffer[]) {
  const flows: FlowFacts[] = [];
  const codes: string[] = [];
  const session = new AnalysisSession(
    {
      detail: false,
      packets: false,
      create: () => ({
        event: (event) => void codes.push(event.kind === 'event' ? event.code : event.label),
        flowEnded: (flow) => void flows.push(flow.facts()),
      }),
    },
    plainSettings(),
  );
  const pods = ['shop/watched', 'shop/client'].map((pod) =>
    interfaceDescription({
      linkType: 113,
      snaplen: 262_144,
      name: `${pod}/any`,
      description: `node=n pod=${pod} uid=1`,
    }),
  );
  session.push(Buffer.concat([sectionHeader('test'), ...pods, ...blocks]));
  session.end();
  return { flows, codes, called: (address: string) => session.names.ofAddress(address, 1e9)?.text };
}

const SYN: BuiltSegment = { side: 0, sequence: 100, flags: 'S', at: 0 };
const AGAIN: BuiltSegment = { ...SYN, at: 1000 };

test('what a bridge floods to a pod names nobody, and that no answer came there says nothing', () => {
  const { flows, codes, called } = analysed(cooked(SYN, TO_OTHERS), cooked(AGAIN, TO_OTHERS));
  expect(flows.map(({ tcp }) => tcp?.state)).toEqual(['opening']);
  expect(codes).toEqual([]);
  expect([called('10.0.0.1'), called('10.0.0.2')]).toEqual([undefined, undefined]);
});

test('the same is without an answer where its sender is captured too', () => {
  const own = [SYN, AGAIN].map((segment) => cooked({ ...segment, interfaceId: 1, at: segment.at + 0.01 }, OUTGOING));
  const { flows, codes, called } = analysed(
    cooked(SYN, TO_OTHERS),
    ...own.slice(0, 1),
    cooked(AGAIN, TO_OTHERS),
    ...own.slice(1),
  );
  expect(flows.map(({ tcp }) => tcp?.state)).toEqual(['unanswered']);
  expect(codes).toEqual(['TCP_NO_ANSWER']);
  expect([called('10.0.0.1'), called('10.0.0.2')]).toEqual(['shop/client', undefined]);
});

import { expect, test } from 'vitest';
import { AnalysisSession } from '../../../src/analyze/engine/session.ts';
import { plainSettings } from '../../support/analysis-session.ts';
import { type BuiltSegment, builtPcap, handshake } from '../../support/built-capture.ts';
import { answer, query } from '../protocols/dns/messages.ts';

/** DNS over TCP: a message behind its length. */
function framed(message: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(message.length >> 8, message.length & 0xff), message]);
}

/** What 10.0.0.1, which the answers give the names, is called behind these messages of client and server. */
function called(...messages: readonly (readonly [side: 0 | 1, message: Uint8Array])[]): string | undefined {
  const next: [number, number] = [1, 1];
  const segments: BuiltSegment[] = handshake([0, 0]);
  for (const [index, [side, message]] of messages.entries()) {
    const [sequence, acknowledgment] = [next[side], next[side === 0 ? 1 : 0]];
    segments.push({ side, sequence, acknowledgment, flags: 'P.', payload: framed(message), at: 10 + index });
    next[side] += message.length + 2;
  }
  const session = new AnalysisSession({ detail: false, packets: false, create: () => ({}) }, plainSettings());
  session.push(builtPcap(segments.map((segment): BuiltSegment => ({ ...segment, ports: [40_000, 53] }))));
  session.end();
  return session.names.ofAddress('10.0.0.1', 1e9)?.text;
}

test('an address is called as in the answer to a question, not as in an answer that nobody asked for', () => {
  const web = query('web.example.com');
  expect(called([0, web], [1, answer('web.example.com')])).toBe('web.example.com');
  expect(called([0, web], [1, answer('web.example.com')], [1, answer('forged.example.com', 2)])).toBe(
    'web.example.com',
  );
  expect(called([1, answer('forged.example.com', 2)])).toBeUndefined();
});

import { expect, test } from 'vitest';
import { type BuiltSegment, handshake } from '../../support/built-capture.ts';
import { codesOf, foundIn } from '../../support/found-in.ts';

type Outcome = 'answered' | 'reset' | 'silent' | 'closed before';

/** A connection that is idle for a time and then used again. */
function used(index: number, idleSeconds: number, outcome: Outcome): BuiltSegment[] {
  const base = index * 100_000;
  const ports = [40_000 + index, 5555] as const;
  const data = (sequence: number, at: number): BuiltSegment => ({
    side: 0,
    sequence: base + sequence,
    acknowledgment: base + 201,
    flags: 'P.',
    payload: 'ping',
    at,
  });
  const ack = (acknowledgment: number, at: number, flags = '.'): BuiltSegment => ({
    side: 1,
    sequence: base + 201,
    acknowledgment: base + acknowledgment,
    flags,
    at,
  });
  const later = 10 + idleSeconds * 1000;
  const outcomes: Record<Outcome, BuiltSegment[]> = {
    answered: [ack(109, later + 1)],
    reset: [ack(109, later + 1, 'R.')],
    silent: [data(105, later + 300), data(105, later + 900), data(105, later + 2100)],
    'closed before': [ack(109, later + 1, 'R.')],
  };
  const closed = outcome === 'closed before' ? [ack(105, 8, 'F.')] : [];
  return [
    ...handshake([base + 100, base + 200]),
    data(101, 5),
    ack(105, 6),
    ...closed,
    data(105, later),
    ...outcomes[outcome],
  ].map((segment) => ({ ...segment, ports }));
}

const inOrder = (segments: readonly BuiltSegment[]) => [...segments].sort((a, b) => a.at - b.at);

test('connections that break after one idle time are said, with whose limit that may be', () => {
  const [found] = foundIn(inOrder([...used(0, 200, 'answered'), ...used(1, 355, 'reset'), ...used(2, 360, 'silent')]));
  expect(found).toMatchObject({ code: 'IDLE_TIMEOUT', severity: 'warning', confidence: 'likely', cases: 2 });
  expect(found?.message).toContain('the limit of AWS NLB and NAT gateway is 350 s');
});

test('a limit is named only where the silence was little longer', () => {
  const [found] = foundIn(inOrder([...used(0, 200, 'answered'), ...used(1, 400, 'reset')]));
  expect(found).toMatchObject({ code: 'IDLE_TIMEOUT' });
  expect(found?.message).not.toContain('the limit of');
});

test('where a connection survived as long, was not idle for a minute, or was closed, it is something else', () => {
  const codes = (...parts: BuiltSegment[][]) => codesOf(foundIn(inOrder(parts.flat())));
  expect(codes(used(0, 400, 'answered'), used(1, 355, 'reset'))).not.toContain('IDLE_TIMEOUT');
  expect(codes(used(1, 50, 'reset'))).not.toContain('IDLE_TIMEOUT');
  expect(codes(used(1, 355, 'closed before'))).not.toContain('IDLE_TIMEOUT');
  expect(codes(used(1, 355, 'answered'))).not.toContain('IDLE_TIMEOUT');
  expect(codes(used(1, 355, 'reset'))).toContain('IDLE_TIMEOUT');
});

import { expect, test } from 'vitest';
import { type BuiltSegment, handshake } from '../../support/built-capture.ts';
import { codesOf, foundIn, Judged } from '../../support/found-in.ts';

/** A SYN that an ACK of an older connection answers, which the client resets. @param stale the acknowledgement's distance */
function collision(stale: number): BuiltSegment[] {
  return [
    { side: 0, sequence: 100, flags: 'S', at: 0 },
    { side: 1, sequence: 7000, acknowledgment: 100 + stale, at: 1 },
    { side: 0, sequence: 100 + stale, flags: 'R', at: 2 },
    { side: 0, sequence: 100, flags: 'S', at: 1000 },
    { side: 1, sequence: 9000, acknowledgment: 101, flags: 'S.', at: 1001 },
    { side: 0, sequence: 101, acknowledgment: 9001, at: 1002 },
  ];
}

test('an ACK of another connection that the client resets is a collision of ports', () => {
  const [found] = foundIn(collision(-50_000));
  expect(found).toMatchObject({ code: 'PORT_REUSE_COLLISION', severity: 'warning', confidence: 'likely' });
  // An ACK of this SYN, whose SYN-ACK was not captured.
  expect(codesOf(foundIn(collision(1)))).not.toContain('PORT_REUSE_COLLISION');
});

/** Connections whose server repeats its SYN-ACK. @param isSent the client has sent data */
function ignored(count: number, isSent: boolean): BuiltSegment[] {
  return Array.from({ length: count }, (_, index) => {
    const base = index * 100_000;
    const ports = [40_000 + index, 80] as const;
    const opened = handshake([base + 100, base + 200], index * 10);
    const data: BuiltSegment = {
      side: 0,
      sequence: base + 101,
      acknowledgment: base + 201,
      flags: 'P.',
      payload: 'hello',
      at: index * 10 + 3,
    };
    return [...opened, ...(isSent ? [data] : []), { ...(opened[1] as BuiltSegment), at: 1000 + index }].map(
      (segment) => ({
        ...segment,
        ports,
      }),
    );
  })
    .flat()
    .sort((a, b) => a.at - b.at);
}

test('a server that repeats its SYN-ACK after data has come has a full accept queue', () => {
  const [found] = foundIn(ignored(3, true));
  expect(found).toMatchObject({ code: 'ACCEPT_QUEUE_FULL', severity: 'error', confidence: 'likely', cases: 3 });
});

test('a lost ACK, and a server that waits for data, are no full queue', () => {
  expect(codesOf(foundIn(ignored(2, true)))).not.toContain('ACCEPT_QUEUE_FULL');
  expect(codesOf(foundIn(ignored(5, false)))).not.toContain('ACCEPT_QUEUE_FULL');
});

test('a packet of a pod that its client resets belongs to a connection through the Service', () => {
  const stray = (port: number) => {
    const judged = new Judged();
    judged.names.addRecord('10.0.0.2', ['web.shop']);
    judged.names.addRecord('10.0.0.3', ['shop/web-1', 'web.shop']);
    judged.ended(judged.flow(1, 2, { clientPort: 40_000 }), 0, { state: 'open' });
    const flow = judged.flow(1, 3, { clientPort: port, serverPort: 8080 });
    judged.ended(flow, 5, { state: 'reset', midstream: true, resetBy: 'client' });
    return judged.found;
  };
  expect(stray(40_000)).toMatchObject([
    { code: 'CONNTRACK_INVALID_RESET', severity: 'warning', confidence: 'proven', subject: 'web.shop' },
  ]);
  expect(stray(40_001)).toEqual([]);
});

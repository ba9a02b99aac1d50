import { expect, it } from 'vitest';
import { html } from '../../../src/run/analysis/html.ts';
import { analysed } from '../../support/analysis-session.ts';
import { type BuiltSegment, builtPcap, builtPcapng, handshake } from '../../support/built-capture.ts';
import { parsed } from '../../view/html/parsed.ts';

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJlLW9mLWE';

interface Built {
  readonly from: 0 | 1;
  readonly ports: readonly [number, number];
  readonly at: number;
  readonly path: string;
  /** ms until the response */
  readonly took: number;
}

/** A connection with one request. */
function connection({ from, ports, at, path, took }: Built): BuiltSegment[] {
  const to = from === 0 ? 1 : 0;
  const turned = from === 0 ? ports : ([ports[1], ports[0]] as const);
  const request = `GET ${path} HTTP/1.1\r\nHost: web\r\n\r\n`;
  const response = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
  // Connections with the same numbers would be one, before and behind NAT.
  const [sent, received] = [ports[0], ports[0] * 2];
  const opened = handshake([sent, received], at).map((segment) => ({
    ...segment,
    side: segment.side === 0 ? from : to,
  }));
  const more: BuiltSegment[] = [
    { side: from, sequence: sent + 1, acknowledgment: received + 1, flags: 'P.', payload: request, at: at + 5 },
    {
      side: to,
      sequence: received + 1,
      acknowledgment: sent + 1 + request.length,
      flags: 'P.',
      payload: response,
      at: at + 5 + took,
    },
  ];
  return [...opened, ...more].map((segment) => ({ ...segment, ports: turned }));
}

/** The texts of the page. */
function pageOf(capture: Uint8Array): string {
  const { lines } = analysed(html, capture, { utc: true });
  const pieces = parsed(lines.join('\n'));
  return pieces
    .map(({ text }) => text)
    .join(' ')
    .replace(/\s+/g, ' ');
}

const inTime = (segments: readonly BuiltSegment[]) => segments.toSorted((a, b) => a.at - b.at);

it('shows the path of a slow request, masked, where one place was captured and nothing is traced', () => {
  const page = pageOf(
    builtPcap(connection({ from: 0, ports: [40_000, 80], at: 0, path: `/a/${JWT}?token=abcdef&n=7`, took: 30 })),
  );
  expect(page).toContain('GET /a/***?token=***&n=7');
  expect(page).not.toContain(JWT);
  expect(page).toContain('network and server 30 ms');
});

it('shows the calls that a request waits for, also where they are the first in the capture', () => {
  const outer = connection({ from: 0, ports: [40_000, 80], at: 0, path: '/cart/1', took: 60 });
  const inner = connection({ from: 1, ports: [50_000, 8080], at: 20, path: '/items/2', took: 30 });
  const segments = inTime([...outer, ...inner]);
  // The server needed 60 ms: after 20 ms it made a call, which took 30 ms.
  expect(pageOf(builtPcap(segments))).toMatch(/10\.0\.0\.2 server 20 ms .*GET \/items\/2.*10\.0\.0\.2 server 10 ms/);
  expect(pageOf(builtPcapng(segments, ['any']))).toMatch(/any server 20 ms .*GET \/items\/2.*any server 10 ms/);
});

it('finds the same place again in a later interface, and then traces', () => {
  const segments = connection({ from: 0, ports: [40_000, 80], at: 0, path: '/both', took: 30 });
  const copies = segments.map((segment) => ({ ...segment, at: segment.at + 1, interfaceId: 1 }));
  const page = pageOf(builtPcapng(inTime([...segments, ...copies]), ['a/b/any', 'a/c/any']));
  expect(page).toContain('network');
});

it('says at least how long a request took that may have waited behind one before the capture', () => {
  const [, , , request, response] = connection({ from: 0, ports: [40_000, 80], at: 0, path: '/slow', took: 900 });
  if (request === undefined || response === undefined) throw new Error('there is no request');
  const page = pageOf(builtPcap([request, response]));
  expect(page).toMatch(/Slowest requests.*GET \/slow 200 \[unknown\] at least 900 ms.*Failed requests and connections/);
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exchanges } from '../../../src/view/top/exchanges.ts';
import type { View } from '../../../src/view/top/view.ts';
import { topModel } from '../../support/top-model.ts';
import { press, screenOf } from '../../support/top-view.ts';

const captures = join(import.meta.dirname, '../../analyze/protocols/captures');

function viewOf(name: string): View {
  const { model, session } = topModel();
  session.push(readFileSync(join(captures, name)));
  session.end();
  model.refresh();
  return exchanges.create(model);
}

test.each([
  [120, ['TIME', 'FROM', 'TO', 'PROTO', 'WHAT', 'STATUS', 'LATENCY', 'SENT', 'RECEIVED']],
  [80, ['TIME', 'FROM', 'TO', 'WHAT', 'STATUS', 'LATENCY']],
  [60, ['TO', 'WHAT', 'STATUS', 'LATENCY']],
])('at %i cells an exchange has a row of %j', (width, titles) => {
  const [head = '', ...rows] = screenOf(viewOf('http2.pcap'), width, 30);
  expect(head.trim().split(/ +/)).toEqual(titles);
  expect(rows.find((row) => row.includes('GET /missing'))).toMatch(/127\.0\.0\.1.*GET \/missing +404 +2\.0 ms/);
  expect(rows.every((row) => row.length <= width)).toBe(true);
});

test('one exchange: request, response, times, flow and bytes', () => {
  const view = viewOf('http2.pcap');
  screenOf(view, 120, 30);
  press(view, 'g', 'j', 'enter');
  const text = screenOf(view, 120, 500).join('\n');
  expect(text).toMatch(/^127\.0\.0\.1:42230 > 127\.0\.0\.1:8080$/m);
  expect(text).toMatch(/^Request\nrequest +GET \/missing\nsize +20 bytes$/m);
  expect(text).toMatch(
    /^Response\nstatus +404\nsize +20 bytes\nhttp\.responseHeaders\.date +Mon, 23 Nov 2026 16:15:45 GMT$/m,
  );
  expect(text).toMatch(/^time to first byte +2\.0 ms$/m);
  expect(text).toMatch(/^Flow 0$/m);
  expect(text).toMatch(/^setup /m);
  expect(text).toMatch(/^Packets: [1-9]\d* of \d+ of the flow that are kept$/m);
  expect(text).toMatch(/^ {2}127\.0\.0\.1:42230 > 127\.0\.0\.1:8080 {2}TCP {2}\[P\.\] seq \d+ .*len \d+$/m);
  expect(text).toMatch(/^ {2}0000 {2}([\da-f]{2} {1,2}){16}/m);
  expect(view.status).toBe('Esc back');
  press(view, 'escape');
  expect(screenOf(view, 120, 30)[0]).toContain('WHAT');
});

test('its packets are those between its first byte and its last', () => {
  const view = viewOf('dns.pcap');
  screenOf(view, 100, 30);
  press(view, 'g', 'enter');
  const text = screenOf(view, 100, 500).join('\n');
  expect(text).toContain('Packets: 2 of 2 of the flow that are kept');
  // A query and its answer, each with the name it is about.
  expect(text.match(/\.web\.shop\.svc|.web.shop/g)?.length).toBeGreaterThanOrEqual(2);
  expect(text).toMatch(/^dns\.answers +name web\.shop\.svc\.cluster\.local, type A, ttl 30, data 10\.96\.0\.21$/m);
});

test('secrets that the JSON output masks are masked in the details of an exchange', () => {
  const view = viewOf('http2.pcap');
  screenOf(view, 120, 30);
  press(view, 'g', 'enter');
  expect(screenOf(view, 120, 20).join('\n')).toMatch(/^http\.requestHeaders\.authorization +\*\*\*$/m);
});

import { expect, test } from 'vitest';
import type { Exchange } from '../../../src/analyze/record/event.ts';
import { LateFields, wholeFields } from '../../../src/analyze/record/late-fields.ts';
import { maskEvent } from '../../../src/analyze/record/mask-event.ts';
import { trace } from '../../../src/run/analysis/trace.ts';
import { analysisLines } from '../../support/analysis-lines.ts';
import { TracedCapture } from '../../support/traced-capture.ts';

test('late fields are read once, when they are looked at, and masked like others', () => {
  let made = 0;
  const fields = new LateFields(() => {
    made += 1;
    return { http: { path: '/login?password=hunter2' } };
  });
  const event: Exchange = {
    kind: 'exchange',
    protocol: 'http',
    label: 'GET /login',
    time: 0,
    requestEnd: 0,
    responseTime: undefined,
    responseEnd: undefined,
    requestBytes: 0,
    responseBytes: 0,
    status: '',
    failed: false,
    route: 'GET /login',
    fields,
  };
  const masked = maskEvent(event);
  expect(made).toBe(0);
  expect(masked.fields.http).toEqual({ path: '/login?password=***' });
  expect(wholeFields(masked.fields)).toEqual({ http: { path: '/login?password=***' } });
  expect(made).toBe(1);
});

/** One exchange of which every part of the head is shown. */
function captured(response: string): TracedCapture {
  const capture = new TracedCapture(['shop/client-1/any']);
  const request =
    'GET /cart?token=abc HTTP/1.1\r\nHost: web\r\nUser-Agent: curl\r\nX-Request-Id: one\r\nAuthorization: Bearer abcdef\r\n\r\n';
  capture
    .connection([{ interfaceId: 0 }], ['10.244.1.9', 40_000], ['10.244.2.6', 8080], [1000, 9000])
    .handshake(1000)
    .send(0, request, [1010])
    .send(1, response, [1020]);
  return capture;
}

test.each([
  ['a success', 'HTTP/1.1 200 Fine\r\nContent-Type: text/plain\r\nSet-Cookie: a=b\r\nContent-Length: 2\r\n\r\nok'],
  ['an error', 'HTTP/1.1 500 Oops\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nbroken'],
])('fields that are read late are the same as those read at once: %s', (_, response) => {
  const lines = (late: boolean) => analysisLines({ ...trace, late }, captured(response).pcapng()).lines;
  const [line] = lines(true);
  expect(line).toContain('"userAgent":"curl"');
  expect(line).not.toContain('abcdef');
  expect(lines(true)).toEqual(lines(false));
});

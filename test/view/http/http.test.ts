import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import type { Fields } from '../../../src/analyze/record/event.ts';
import { curlLine, shellWord } from '../../../src/view/http/curl.ts';
import { harEntry } from '../../../src/view/http/har.ts';
import { httpRequest } from '../../../src/view/http/request.ts';
import { exchange, madeAnalysis, SERVER } from '../../analyze/made-events.ts';

const record = () => {
  const { recorder, flow } = madeAnalysis();
  return recorder.event(exchange(), flow());
};
const request = (http: Fields) => httpRequest(record(), http);

it.each([
  [{ path: '/cart?id=1', host: 'web' }, 'http://web/cart?id=1'],
  [{ path: '/cart', host: 'web.shop:8080' }, 'http://web.shop:8080/cart'],
  [{ path: '/cart' }, `http://${SERVER}/cart`],
  [{ path: '*', host: '[fd00::1]:80' }, 'http://[fd00::1]:80/'],
  [{ path: 'http://web/cart', host: 'proxy' }, 'http://web/cart'],
  // A host that would lead somewhere else in a URL.
  [{ path: '/cart', host: 'web@evil.example' }, `http://${SERVER}/cart`],
  [{ path: '/cart', host: 'evil.example/?' }, `http://${SERVER}/cart`],
  [{ path: 'http://web@evil.example/', host: 'web' }, undefined],
  [{ path: 'web:443', host: 'web' }, undefined],
  [{ path: '@evil.example/', host: 'web' }, undefined],
])('the target of %o is %s', (http, url) => {
  expect(request({ method: 'GET', ...http })?.url).toBe(url);
});

it('leaves out requests that were not seen or are none, and fields that are none', () => {
  expect(request({ path: '/' })).toBe(undefined);
  expect(request({ method: 'G T', path: '/' })).toBe(undefined);
  const headers = { 'x-a': '1', '@/etc/passwd': '2', 'a b': '3' };
  expect(request({ method: 'GET', path: '/', requestHeaders: headers })?.headers).toEqual([
    { name: 'x-a', value: '1' },
  ]);
});

it('makes a curl command without secrets and without what curl makes itself', () => {
  const http = {
    method: 'POST',
    path: "/cart?name=it's&token=***",
    host: 'web',
    requestHeaders: { host: 'web', authorization: '***', 'content-length': '12', accept: '*/*', 'x-empty': '' },
  };
  expect(curlLine(request(http) ?? never())).toBe(
    "curl -sS --globoff --path-as-is -X POST -H 'accept: */*' -H 'x-empty;' 'http://web/cart?name=it'\\''s&token=***'" +
      ' # without authorization; *** in the URL is a secret; without its body',
  );
});

it('quotes any text so that bash gets it as it is, and a terminal nothing to obey', () => {
  for (const text of ['plain', "it's", '$(reboot)`x`', 'a\x1b[31mb', "x\n'; reboot; '\\", '\u202eüñ😀', '!!', '']) {
    const word = shellWord(text);
    expect(word).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(execFileSync('bash', ['-c', `printf %s ${word}`], { encoding: 'utf8' })).toBe(text);
  }
});

it('makes an entry of an HTTP Archive with everything that version 1.2 requires', () => {
  const http = {
    method: 'GET',
    path: '/cart?a=1&b=%20x',
    host: 'web',
    version: '1.1',
    status: 302,
    reason: 'Found',
    requestHeaders: { host: 'web' },
    responseHeaders: { location: '/login', 'content-type': 'text/plain', 'content-length': '7' },
  };
  expect(harEntry(record(), http, request(http) ?? never())).toEqual({
    startedDateTime: '2026-07-02T14:03:07.123456789Z',
    time: 1.2,
    request: {
      method: 'GET',
      url: 'http://web/cart?a=1&b=%20x',
      httpVersion: 'HTTP/1.1',
      cookies: [],
      headers: [{ name: 'host', value: 'web' }],
      queryString: [
        { name: 'a', value: '1' },
        { name: 'b', value: ' x' },
      ],
      headersSize: -1,
      bodySize: 0,
    },
    response: {
      status: 302,
      statusText: 'Found',
      httpVersion: 'HTTP/1.1',
      cookies: [],
      headers: [
        { name: 'location', value: '/login' },
        { name: 'content-type', value: 'text/plain' },
        { name: 'content-length', value: '7' },
      ],
      content: { size: 7, mimeType: 'text/plain' },
      redirectURL: '/login',
      headersSize: -1,
      bodySize: 7,
    },
    cache: {},
    timings: { blocked: -1, dns: -1, connect: -1, send: 0.001, wait: 0.999, receive: 0.2, ssl: -1 },
    serverIPAddress: SERVER,
    connection: '0',
  });
});

it('says so in the archive where no response came', () => {
  const { recorder, flow } = madeAnalysis();
  const event = exchange({ incomplete: 'no response', responseTime: undefined, responseEnd: undefined, status: '' });
  const http = { method: 'GET', path: '/', host: 'web' };
  const entry = harEntry(recorder.event(event, flow()), http, request(http) ?? never());
  expect(entry).toMatchObject({
    time: 0.001,
    response: { status: 0, comment: 'no response' },
    timings: { receive: 0 },
  });
});

it.each([
  ['GET', 200, { 'content-length': '0' }, 0, 0],
  ['GET', 200, { 'content-length': '19' }, 19, 19],
  ['HEAD', 200, { 'content-length': '19' }, 0, 0],
  ['GET', 304, { 'content-length': '19' }, 0, 0],
  ['GET', 200, { 'content-length': '19', 'content-encoding': 'gzip' }, 19, -1],
  ['GET', 200, { 'transfer-encoding': 'chunked' }, -1, -1],
])('the archive has the size of the body alone: %s, %i, %o', (method, status, responseHeaders, bodySize, size) => {
  const { recorder, flow } = madeAnalysis();
  const whole = recorder.event(exchange({ declaredBytes: 96 }), flow());
  const http = { method, path: '/', host: 'web', status, responseHeaders };
  expect(harEntry(whole, http, request(http) ?? never())).toMatchObject({ response: { bodySize, content: { size } } });
});

it('the archive has URLs that are URLs, and no controls in its texts', () => {
  const http = {
    method: 'GET',
    path: '/a"b\t\u009b#c%zz%41?q=\u00fc',
    host: 'web',
    status: 200,
    reason: 'O\u009bK',
  };
  const { recorder, flow } = madeAnalysis();
  const unproven = recorder.event(exchange({ incomplete: 'unknown' }), flow());
  expect(harEntry(unproven, http, request(http) ?? never())).toMatchObject({
    request: { url: 'http://web/a%22b%09%C2%9B%23c%25zz%41?q=%C3%BC' },
    response: { statusText: 'O\\x9bK', comment: 'not proven to be the response to this request' },
  });
});

it('gives curl the target that was sent, where a URL cannot have it', () => {
  const curl = (method: string, path: string, requestHeaders: Fields = {}) =>
    curlLine(request({ method, path, host: 'web', requestHeaders }) ?? never());
  const plain = 'curl -sS --globoff --path-as-is';
  expect(curl('OPTIONS', '*')).toBe(`${plain} -X OPTIONS --request-target '*' http://web/`);
  expect(curl('GET', '/a#b')).toBe(`${plain} --request-target '/a#b' http://web/a`);
  expect(curl('POST', '/', { 'content-length': '00' })).toBe(`${plain} -X POST http://web/`);
  expect(curl('POST', '/', { 'transfer-encoding': 'chunked' })).toMatch(/ # without a body, if it had one$/);
});

it('keeps the port that a Host does not name, but not the port of a pod, which a Service may have translated', () => {
  const { recorder, names, flow } = madeAnalysis();
  const url = (host: string) =>
    httpRequest(recorder.event(exchange(), flow({ serverPort: 8443 })), { method: 'GET', path: '/', host })?.url;
  expect(url('web')).toBe('http://web:8443/');
  const http = { method: 'GET', path: '/', host: 'web', requestHeaders: { host: 'web' } };
  const sent = httpRequest(recorder.event(exchange(), flow({ serverPort: 8443 })), http) ?? never();
  expect(curlLine(sent)).toBe("curl -sS --globoff --path-as-is -H 'Host: web' http://web:8443/");
  expect(url('web:81')).toBe('http://web:81/');
  expect(url('[fd00::1]')).toBe('http://[fd00::1]:8443/');
  names.add(SERVER, { namespace: 'shop', pod: 'web-1', service: 'web' }, 0);
  expect(url('web')).toBe('http://web/');
});

function never(): never {
  throw new Error('there is no request');
}

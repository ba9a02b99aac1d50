// The conversation between client and agent: lines, versions, requests.
import { expect, test } from 'vitest';
import { parseAgentEvent, parseCaptureRequest, parseControl } from '../../src/wire/agent-protocol.ts';
import { lineSplitter } from '../../src/wire/lines.ts';
import { checkProtocol, PROTOCOL } from '../../src/wire/version.ts';

test('lines come whole however they are cut, also within a character', () => {
  const text = 'first\n\nzwölf Boxkämpfer ☃\nlast\nrest';
  for (const size of [1, 2, 3, 7, 100]) {
    const lines: string[] = [];
    const split = lineSplitter((line) => lines.push(line));
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += size) split(bytes.subarray(at, at + size));
    expect(lines).toEqual(['first', 'zwölf Boxkämpfer ☃', 'last']);
  }
});

test('a line without end is refused, not kept', () => {
  const split = lineSplitter(() => {}, 100);
  expect(() => {
    for (let times = 0; times < 20; times += 1) split(Buffer.alloc(10, 'x'));
  }).toThrow(expect.objectContaining({ code: 'LINE_TOO_LONG' }));
});

test('one minor version apart is tolerated, more is an error that names the command', () => {
  const { major, minor } = PROTOCOL;
  for (const ok of [`${major}.${minor}`, `${major}.${minor + 1}`]) checkProtocol(ok, 'agent');
  for (const bad of [`${major}.${minor + 2}`, `${major + 1}.${minor}`, '', 'x', '1', '1.0.0']) {
    expect(() => checkProtocol(bad, 'agent'), bad).toThrow(
      expect.objectContaining({ code: 'PROTOCOL_MISMATCH', hint: expect.stringContaining('ksnoop install') }),
    );
  }
  expect(() => checkProtocol('9.9', 'client')).toThrow(
    expect.objectContaining({ hint: expect.stringMatching(/npm install/) }),
  );
});

const REQUEST = {
  type: 'capture',
  protocol: '1.0',
  session: '0123456789abcdef0123456789abcdef',
  targets: [{ key: 'a', kind: 'netns', name: 'web' }],
  interface: 'any',
  snaplen: 262_144,
  maxDurationMs: 60_000,
};

test('a request is taken as it was said', () => {
  expect(parseCaptureRequest(JSON.stringify(REQUEST))).toEqual(REQUEST);
});

test.each([
  ['no JSON', 'capture'],
  ['an array', '[]'],
  ['no type', { ...REQUEST, type: 'x' }],
  ['a session of other characters', { ...REQUEST, session: '../../etc/passwd/////////////////' }],
  ['no targets', { ...REQUEST, targets: [] }],
  [
    'too many targets',
    { ...REQUEST, targets: Array.from({ length: 501 }, (_, index) => ({ key: `${index}`, kind: 'host' })) },
  ],
  ['a target twice', { ...REQUEST, targets: [...REQUEST.targets, ...REQUEST.targets] }],
  ['an unknown kind', { ...REQUEST, targets: [{ key: 'a', kind: 'volume' }] }],
  ['an interface like a flag', { ...REQUEST, interface: '-z' }],
  ['an interface like a path', { ...REQUEST, interface: '../x' }],
  ['a snaplen of 0', { ...REQUEST, snaplen: 0 }],
  ['a snaplen past the bound', { ...REQUEST, snaplen: 2 ** 20 }],
  ['a fractional duration', { ...REQUEST, maxDurationMs: 1.5 }],
  ['a filter that is no text', { ...REQUEST, filter: 5 }],
])('a request with %s is refused', (_, request) => {
  const line = typeof request === 'string' ? request : JSON.stringify(request);
  expect(() => parseCaptureRequest(line)).toThrow(expect.objectContaining({ code: 'INVALID_MESSAGE' }));
});

test('events and controls of a later minor version are passed over', () => {
  expect(parseAgentEvent('{"type":"weather","sun":true}')).toBeUndefined();
  expect(parseControl('{"type":"dance"}')).toBeUndefined();
  expect(parseControl('{"type":"stop"}')).toEqual({ type: 'stop' });
});

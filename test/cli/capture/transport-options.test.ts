import { expect, test } from 'vitest';
import { completeTransport } from '../../../src/cli/capture/transport-options.ts';

test('the way to the agents is auto, with a window of 25 s, unless said otherwise', () => {
  expect(completeTransport({}, false)).toEqual({ transport: 'auto', resumeWindowMs: 25_000, compress: 'auto' });
  const said = { transport: 'port-forward', resumeWindow: '2m', compress: 'on' };
  expect(completeTransport(said, false)).toEqual({
    transport: 'port-forward',
    resumeWindowMs: 120_000,
    compress: 'on',
  });
});

test('what is carried over exec is resumed and compressed as over port-forward', () => {
  expect(completeTransport({ transport: 'exec', resumeWindow: '30s', compress: 'on' }, false)).toEqual({
    transport: 'exec',
    resumeWindowMs: 30_000,
    compress: 'on',
  });
});

test('--as-tenant is kept', () => {
  expect(completeTransport({ asTenant: true }, false)).toMatchObject({ transport: 'auto', asTenant: true });
});

test.each([
  [{ transport: 'smoke' }, false, 'There is no transport "smoke".'],
  [{ resumeWindow: '9s' }, false, '--resume-window takes 10s to 10m, not "9s".'],
  [{ resumeWindow: '11m' }, false, '--resume-window takes 10s to 10m, not "11m".'],
  [{ compress: 'most' }, false, '--compress takes auto, on, off, not "most".'],
  [{ compress: 'on' }, true, '--local has its agent on this machine'],
  [{ asTenant: true, transport: 'exec' }, false, '--as-tenant reaches the agents by port-forward'],
  [{ asTenant: true, agentless: true as const }, false, '--as-tenant reaches the agents by port-forward'],
  [{ asTenant: true }, true, '--as-tenant reaches the agents by port-forward'],
  [{ transport: 'exec' }, true, '--local has its agent on this machine'],
])('%o with --local %s is a mistake', (raw, local, sentence) => {
  expect(() => completeTransport(raw, local)).toThrow(sentence);
});

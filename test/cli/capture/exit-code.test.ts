import { expect, test } from 'vitest';
import { exitCode } from '../../../src/cli/capture/exit-code.ts';
import { KsnoopError } from '../../../src/wire/errors.ts';
import { ended, fail, GAP, nothing } from '../../support/ended-capture.ts';

test('0: every way to end that the user chose', () => {
  for (const cause of ['user', 'duration', 'limit', 'output-ended', 'targets-ended'] as const) {
    expect(exitCode({ result: ended({ cause }), failure: undefined })).toBe(0);
  }
});

test('1: the output failed, also where targets failed too', () => {
  const result = ended();
  expect(exitCode({ result: result, failure: new Error('full') })).toBe(1);
  fail(result.api);
  expect(exitCode({ result: result, failure: new Error('full') })).toBe(1);
});

test('4: some targets failed, there is a gap, or the last packets are missing', () => {
  const partly = ended();
  fail(partly.api, new KsnoopError('NO_SUCH_TARGET', 'No.', { exit: 3 }));
  expect(exitCode({ result: partly, failure: undefined })).toBe(4);
  const gap = ended();
  gap.report.gaps.push(GAP);
  expect(exitCode({ result: gap, failure: undefined })).toBe(4);
  expect(exitCode({ result: ended({ cutOff: true }), failure: undefined })).toBe(4);
});

test('nothing captured: what the first error stands for, else 1', () => {
  for (const exit of [1, 2, 3] as const) {
    const result = nothing();
    fail(result.web, new KsnoopError('BAD_TARGET', 'No.', { exit }));
    fail(result.api, new KsnoopError('CAPTURE_FAILED', 'No.', { exit: 1 }));
    expect(exitCode({ result: result, failure: undefined })).toBe(exit);
  }
  expect(exitCode({ result: nothing(), failure: undefined })).toBe(1);
  expect(exitCode({ result: { ...nothing(), cause: 'duration' }, failure: undefined })).toBe(3);
});

test('a target that is gone is no failure', () => {
  const result = ended();
  result.web.state = 'gone';
  result.api.state = 'gone';
  expect(exitCode({ result: result, failure: undefined })).toBe(0);
});

test('5: with --strict any loss, without it none', () => {
  const lossless = ended();
  lossless.web.counters.clear();
  expect(exitCode({ result: lossless, failure: undefined }, true)).toBe(0);
  expect(exitCode({ result: ended(), failure: undefined })).toBe(0);
  expect(exitCode({ result: ended(), failure: undefined }, true)).toBe(5);
  expect(exitCode({ result: { ...lossless, cutOff: true }, failure: undefined }, true)).toBe(5);
});

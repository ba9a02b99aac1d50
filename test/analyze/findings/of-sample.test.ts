import { expect, test } from 'vitest';
import { type Finding, ofSample, withoutPackets } from '../../../src/analyze/findings/finding.ts';
import { Colours } from '../../../src/view/colour.ts';
import { findingHead } from '../../../src/view/finding-lines.ts';

const FINDING: Finding = {
  code: 'CONNECT_TIMEOUT',
  severity: 'error',
  confidence: 'proven',
  subject: 'shop/web',
  message: 'web does not answer',
  evidence: [{ text: '3 SYNs', flows: [1], times: [0, 1], where: undefined }],
  next: 'look',
  otherwise: undefined,
  cases: 3,
  attempts: 3,
};

test('a finding of a sample of the connections is marked, and not proven', () => {
  const marked = ofSample(FINDING);
  expect(marked).toMatchObject({ sample: true, confidence: 'likely', otherwise: expect.stringContaining('left out') });
  expect(findingHead(marked, new Colours(false))).toBe('ERROR (likely, sample) web does not answer [CONNECT_TIMEOUT]');
  expect(findingHead(FINDING, new Colours(false))).toBe('ERROR web does not answer [CONNECT_TIMEOUT]');
});

test('what no packet shows is as sure as before', () => {
  const finding = { ...FINDING, evidence: [withoutPackets('the Service has no endpoints')] };
  expect(ofSample(finding)).toBe(finding);
});

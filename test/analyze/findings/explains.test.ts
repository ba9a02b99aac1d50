import { expect, test } from 'vitest';
import type { DetectorKind } from '../../../src/analyze/findings/detector.ts';
import type { Severity } from '../../../src/analyze/findings/finding.ts';
import { Findings } from '../../../src/analyze/findings/findings.ts';
import { findingContext } from '../../support/finding-context.ts';

const context = findingContext(0n);

/** A detector that always finds this. */
function finds(code: string, severity: Severity, explains: Record<string, readonly string[]> = {}): DetectorKind {
  const rest = { confidence: 'proven', subject: 'web.shop', message: '', evidence: [], next: '' } as const;
  const finding = { ...rest, code, severity, otherwise: undefined, cases: 1, attempts: 1 };
  return { codes: [code], explains, create: () => ({ findings: () => [finding] }) };
}

test('a cause leaves its consequences out, and what is only information is no cause', () => {
  const codes = (severity: Severity) =>
    new Findings(context, [finds('CAUSE', severity, { CAUSE: ['CONSEQUENCE'] }), finds('CONSEQUENCE', 'warning')])
      .list()
      .map(({ code }) => code);
  expect(codes('error')).toEqual(['CAUSE']);
  expect(codes('warning')).toEqual(['CAUSE']);
  expect(codes('information')).toEqual(['CONSEQUENCE', 'CAUSE']);
});

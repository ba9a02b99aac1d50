import { expect, test } from 'vitest';
import { AnalysisSession } from '../../../../../src/analyze/engine/session.ts';
import { KeyLog } from '../../../../../src/analyze/protocols/tls/decrypt/key-log.ts';
import { findings } from '../../../../../src/run/analysis/findings.ts';
import { plainSettings } from '../../../../support/analysis-session.ts';
import { BUILT_EPOCH_NS } from '../../../../support/built-capture.ts';
import { type Recorded, recordTls } from './recorded.ts';
import { tlsCapture } from './tls-capture.ts';

const DAY_MS = 86_400_000;
const CAPTURED_MS = Number(BUILT_EPOCH_NS / 1_000_000n);

function codesOf({ steps }: Recorded, keyLog: string): string[] {
  const keys = new KeyLog();
  keys.add(keyLog);
  const lines: string[] = [];
  const session = new AnalysisSession(
    findings,
    plainSettings({ json: true, keys, line: (line) => void lines.push(line) }),
  );
  session.push(tlsCapture(steps));
  session.end();
  const [report] = lines.map((line) => JSON.parse(line) as { findings: { code: string }[] });
  return report?.findings.map(({ code }) => code) ?? [];
}

test.each([
  ['expired a day before the packets', new Date(CAPTURED_MS - DAY_MS), ['TLS_CERTIFICATE_EXPIRED']],
  ['is valid for years', new Date(CAPTURED_MS + 1000 * DAY_MS), []],
] as const)(
  'of TLS 1.3, where the certificate is encrypted, one that %s is a finding only with the keys',
  async (_, until, codes) => {
    const talk = [['GET / HTTP/1.1\r\nHost: web.shop\r\n\r\n', 'HTTP/1.1 204 No Content\r\n\r\n']] as const;
    const recorded = await recordTls({ version: 'TLSv1.3', certificateUntil: until, talk });
    expect(codesOf(recorded, recorded.keyLog)).toEqual(codes);
    expect(codesOf(recorded, '')).toEqual([]);
  },
);

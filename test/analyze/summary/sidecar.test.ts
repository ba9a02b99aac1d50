// What a sidecar requests of its own program was requested of the pod before: it is counted apart, whatever of both was captured.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AnalysisSession } from '../../../src/analyze/engine/session.ts';
import { KeyLog } from '../../../src/analyze/protocols/tls/decrypt/key-log.ts';
import { Summary } from '../../../src/analyze/summary/summary.ts';
import { plainSettings } from '../../support/analysis-session.ts';

const captures = join(import.meta.dirname, '../trace/captures/mesh');
const NAMES = { '10.96.0.7': ['web.shop'], '10.244.1.6': ['shop/web-1', 'web.shop'], '10.244.1.9': ['shop/client-1'] };

/** @param areNamesLate the names come after the packets */
function report(areNamesLate: boolean, keyLog?: string) {
  const keys = new KeyLog();
  if (keyLog !== undefined) keys.add(readFileSync(join(captures, keyLog), 'utf8'));
  let summary: Summary | undefined;
  const session = new AnalysisSession(
    {
      detail: false,
      packets: false,
      create: ({ session: { capture, names } }) => {
        summary = new Summary(capture.analysis.hosts, names);
        return summary;
      },
    },
    plainSettings({ keys }),
  );
  const named = () => session.addNames(Object.entries(NAMES).map(([address, names]) => ({ address, names })));
  if (!areNamesLate) named();
  session.push(readFileSync(join(captures, 'http1.pcapng')));
  if (areNamesLate) named();
  session.end();
  return summary?.report(session.recorder, session.span);
}

const BEHIND = 'web.shop behind its sidecar';

test.each([false, true])('the Service has its clients’ requests once (names come late: %s)', (areNamesLate) => {
  const { services = [], callers = [] } = report(areNamesLate) ?? {};
  const http = services.filter(({ protocol }) => protocol === 'http').map(({ service, count }) => [service, count]);
  expect(http.sort()).toEqual([
    [BEHIND, 12],
    ['web.shop', 12],
  ]);
  const asked = callers.filter(({ protocol }) => protocol === 'http').map(({ client, service }) => [client, service]);
  expect(asked).toContainEqual(['shop/client-1', 'web.shop']);
  expect(asked.filter(([, service]) => service === BEHIND)).toHaveLength(1);
});

test('with the keys of mTLS what came between the sidecars is the pod’s, and its program’s is apart', () => {
  const { pods = [] } = report(false, 'http1-keys.log') ?? {};
  const http = pods
    .filter(({ protocol }) => protocol === 'http')
    .map(({ pod, service, count }) => [pod, service, count]);
  expect(http.sort()).toEqual([
    ['shop/web-1', BEHIND, 12],
    ['shop/web-1', 'web.shop', 12],
  ]);
});

import { expect, test } from 'vitest';
import { whereExpression } from '../../../src/run/where.ts';
import { findings } from '../../../src/view/top/findings.ts';
import { type BuiltSegment, builtPcap, handshake } from '../../support/built-capture.ts';
import { topModel } from '../../support/top-model.ts';
import { press, screenOf } from '../../support/top-view.ts';

const GET = 'GET /cart HTTP/1.1\r\nHost: web\r\n\r\n';
const ANSWER = 'HTTP/1.1 503 no\r\nContent-Length: 0\r\n\r\n';

/** Connections that are refused, and one with an answer that is an error. */
const SEGMENTS: readonly BuiltSegment[] = [
  ...handshake([100, 200]),
  { side: 0, sequence: 101, acknowledgment: 201, flags: 'P.', payload: GET, at: 3 },
  { side: 1, sequence: 201, acknowledgment: 101 + GET.length, flags: 'P.', payload: ANSWER, at: 8 },
  ...[1, 2].flatMap((index): BuiltSegment[] => [
    { side: 0, sequence: 5000, flags: 'S', at: index * 10, ports: [50_000 + index, 81] },
    { side: 1, sequence: 0, acknowledgment: 5001, flags: 'R.', at: index * 10 + 1, ports: [50_000 + index, 81] },
  ]),
];

function viewOf(segments: readonly BuiltSegment[]) {
  const { model, session } = topModel();
  if (segments.length > 0) session.push(builtPcap(segments));
  session.end();
  model.refresh();
  return { view: findings.create(model), model };
}

test('findings are listed, the worst first, as the findings output has them', () => {
  const { view, model } = viewOf(SEGMENTS);
  expect(model.findings.all.map(({ code }) => code)).toEqual(['GATEWAY_ERROR', 'POD_NOT_LISTENING']);
  const [head, first, second] = screenOf(view, 140);
  expect(head).toMatch(/^SEVERITY +CASES +CODE +FINDING$/);
  expect(first).toMatch(/^ERROR +1 +GATEWAY_ERROR +10\.0\.0\.2:80 /);
  expect(second).toMatch(/^WARNING +2 +POD_NOT_LISTENING +10\.0\.0\.2:81 refuses connections/);
});

test('Enter leads to the evidence: what was seen, the next step, exchanges, flows and packets', () => {
  const { view } = viewOf(SEGMENTS);
  screenOf(view);
  press(view, 'enter');
  const text = screenOf(view, 120, 200).join('\n');
  expect(text).toMatch(/^ERROR \(likely\) 10\.0\.0\.2:80 .* \[GATEWAY_ERROR\]$/m);
  expect(text).toMatch(
    /^ {4}Next: To see whether a backend got the request, and what it answered: ksnoop trace FILE$/m,
  );
  expect(text).toMatch(/^Exchanges and events\n.* flow 0 +GET \/cart +503 +5\.0 ms$/m);
  expect(text).toMatch(/^Flow 0\n10\.0\.0\.1:40000 > 10\.0\.0\.2:80$/m);
  expect(text).toMatch(/^Packets: 5 of 5 of the flow that are kept$/m);
  press(view, 'escape');
  expect(screenOf(view)[0]).toMatch(/^SEVERITY/);
});

test('without a finding it says so', () => {
  expect(screenOf(viewOf([]).view)).toEqual(['Nothing found yet.']);
  expect(screenOf(viewOf(SEGMENTS.slice(0, 3)).view)).toEqual(['Nothing found yet.']);
});

test('an expression chooses exchanges and flows, not findings', async () => {
  const { model } = viewOf(SEGMENTS);
  model.show(await whereExpression('http.status == 200'));
  model.refresh();
  expect(model.findings.all.map(({ code }) => code)).toEqual(['GATEWAY_ERROR', 'POD_NOT_LISTENING']);
  expect(model.head.exchanges).toBe(0);
});

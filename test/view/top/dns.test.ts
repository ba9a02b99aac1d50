import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dns } from '../../../src/view/top/dns.ts';
import { topModel } from '../../support/top-model.ts';
import { press, screenOf } from '../../support/top-view.ts';

const capture = readFileSync(join(import.meta.dirname, '../../analyze/protocols/captures/dns.pcap'));

function viewOf(bytes = capture) {
  const { model, session } = topModel();
  session.push(bytes);
  session.end();
  model.refresh();
  return { view: dns.create(model), model };
}

test('a name has its row for every type, with its answers and latencies, as the summary counts them', () => {
  const { view, model } = viewOf();
  const [head, ...rows] = screenOf(view);
  expect(head).toMatch(/^NAME +TYPE +COUNT +FAILED ANSWERS +P50 +P90 +P99 +MAX$/);
  expect(rows[0]).toMatch(
    /^web\.shop\.svc\.cluster\.local +A +7 +1 NOERROR 6, BADVERS 1 +242 µs +514 µs +514 µs +514 µs$/,
  );
  expect(rows.find((row) => row.startsWith('lost.test'))).toMatch(/ A +3 +0 capture ended 3 +- +- +- +-$/);
  expect(rows).toHaveLength(model.report?.dns.length ?? 0);
});

test('rows are sorted by count, failures, latency or name, and s goes through them', () => {
  const { view } = viewOf();
  expect(view.orders).toEqual(['count', 'failed', 'p99', 'name']);
  expect(view.order).toBe('count');
  view.sortBy('failed');
  expect(screenOf(view)[1]).toMatch(/^other\.test /);
  view.sortBy('name');
  const names = screenOf(view)
    .slice(1)
    .map((row) => row.split(' ')[0]);
  expect(names).toEqual([...names].sort());
});

test('one name: shares of its answers, its latencies, and the last lookups with what they were told', () => {
  const { view } = viewOf();
  screenOf(view);
  press(view, 'enter');
  const text = screenOf(view).join('\n');
  expect(text).toMatch(/^A web\.shop\.svc\.cluster\.local$/m);
  expect(text).toMatch(/^NOERROR +6 +85\.7 %$/m);
  expect(text).toMatch(/^BADVERS +1 +14\.3 %$/m);
  expect(text).toMatch(/^p50 +242 µs$/m);
  expect(text).toMatch(/^greatest +514 µs$/m);
  const lookups = text.slice(text.indexOf('Last lookups')).split('\n').slice(2);
  expect(lookups).toHaveLength(7);
  // The newest first.
  const times = lookups.map((row) => row.split(' ')[0]);
  expect(times).toEqual([...times].sort().reverse());
  expect(lookups.at(-1)).toMatch(/127\.0\.0\.1:60441 +127\.0\.0\.1:53 +NOERROR +514 µs 10\.96\.0\.21$/);
  press(view, 'escape');
  expect(screenOf(view)[0]).toMatch(/^NAME/);
});

test.each([
  [80, ['NAME', 'TYPE', 'COUNT', 'FAILED', 'ANSWERS', 'P50', 'P99']],
  [60, ['NAME', 'TYPE', 'COUNT', 'FAILED', 'ANSWERS']],
  [40, ['NAME', 'COUNT', 'FAILED']],
])('a screen of %i cells has room for %j, and for most of a name', (width, titles) => {
  const { view } = viewOf();
  const lines = view.lines(width, 20).map(({ spans }) => spans.map(({ text }) => text).join(''));
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(width);
  expect(lines[0]?.trim().split(/ +/)).toEqual(titles);
  expect(lines[1]).toContain('web.shop.svc.cluster.loc');
});

test('without a question it says so', () => {
  const { model } = topModel();
  expect(screenOf(dns.create(model))).toEqual(['No DNS queries yet.']);
});

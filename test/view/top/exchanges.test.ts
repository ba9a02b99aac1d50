import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exchanges } from '../../../src/view/top/exchanges.ts';
import type { Line } from '../../../src/view/top/line.ts';
import { topModel } from '../../support/top-model.ts';

const capture = readFileSync(join(import.meta.dirname, '../../analyze/protocols/captures/http2.pcap'));
const key = (name: string) => ({ name, text: undefined });
const texts = (lines: readonly Line[]) => lines.map(({ spans }) => spans.map(({ text }) => text).join(''));
const selected = (lines: readonly Line[]) => texts(lines.filter((line) => line.selected === true))[0];

test('it follows what comes until the cursor leaves the last line, and again when it is back there', () => {
  const { model, session } = topModel();
  const view = exchanges.create(model);
  session.push(capture.subarray(0, capture.length / 2));
  model.refresh();
  const half = model.events.end;
  expect(half).toBeGreaterThan(2);
  expect(selected(view.lines(160, 10))).toContain(model.events.at(half - 1)?.label);
  view.key(key('k'));
  const before = selected(view.lines(160, 10));
  session.push(capture.subarray(capture.length / 2));
  session.end();
  model.refresh();
  expect(model.events.end).toBeGreaterThan(half);
  expect(selected(view.lines(160, 10))).toBe(before);
  view.key(key('G'));
  expect(selected(view.lines(160, 10))).toContain(model.events.at(model.events.end - 1)?.label);
  expect(view.status).toMatch(/^following/);
});

test('only what is seen is made', () => {
  const { model, session } = topModel();
  session.push(capture);
  session.end();
  model.refresh();
  let made = 0;
  const { events } = model;
  const counting = {
    ...model,
    events: {
      first: events.first,
      end: events.end,
      at: (number: number) => {
        made += 1;
        return events.at(number);
      },
    },
    titleOf: (name: string) => name,
  };
  exchanges.create(counting as unknown as typeof model).lines(160, 6);
  expect(made).toBe(5);
});

test('an exchange shows its request, its flow and its packets, none of which is wider than the screen', () => {
  const { model, session } = topModel();
  session.push(capture);
  session.end();
  model.refresh();
  const view = exchanges.create(model);
  view.lines(80, 24);
  view.key(key('g'));
  view.key(key('enter'));
  const lines = texts(view.lines(80, 20_000));
  const flow = model.events.at(0)?.flow ?? -1;
  expect(lines.some((text) => text.startsWith('http.method'))).toBe(true);
  expect(lines).toContain('Flow');
  expect(lines.filter((text) => /^\d+ {2}\d\d:\d\d:\d\d/.test(text))).toHaveLength(
    model.packets.ofFlow(flow, 1_000).length,
  );
  view.key(key('escape'));
  expect(view.status).toMatch(/^1 of/);
});

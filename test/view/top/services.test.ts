import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { services } from '../../../src/view/top/services.ts';
import { topModel } from '../../support/top-model.ts';
import { press, screenOf } from '../../support/top-view.ts';

const capture = readFileSync(join(import.meta.dirname, '../../run/analysis/captures/wrong-service.pcapng'));

test('Enter opens a service: its statuses, routes, callers and pods, with the numbers of the summary; Esc goes back', () => {
  const { model, session } = topModel();
  session.push(capture);
  session.end();
  model.refresh();
  const view = services.create(model);
  const [head, first = ''] = screenOf(view);
  expect(head).toMatch(/^SERVICE /);
  press(view, 'enter');
  const text = screenOf(view).join('\n');
  const opened = model.report?.services.find(({ service }) => first.startsWith(service));
  if (opened === undefined) throw new Error('no service in the first row');
  expect(text).toMatch(new RegExp(`^${opened.service} HTTP`));
  const routes = model.report?.routes.filter(({ service }) => service === opened.service) ?? [];
  expect(routes.length).toBeGreaterThan(0);
  for (const { route, count, failed } of routes)
    expect(text).toMatch(new RegExp(`^${route} +${count} +${failed} `, 'm'));
  const callers = model.report?.callers.filter(({ service }) => service === opened.service) ?? [];
  expect(callers.length).toBeGreaterThan(0);
  for (const { client, count } of callers) expect(text).toMatch(new RegExp(`^${client} +${count} `, 'm'));
  const answered = routes.flatMap(({ statuses }) => Object.values(statuses)).reduce((sum, count) => sum + count, 0);
  const shown = [...text.matchAll(/^\S.* +(\d+) +[\d.]+ %$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
  expect(shown).toBe(answered);
  const pods = model.report?.pods.filter(({ service }) => service === opened.service) ?? [];
  expect(/^Pods$/m.test(text)).toBe(pods.length > 0);
  press(view, 'escape');
  expect(screenOf(view)[0]).toMatch(/^SERVICE /);
});

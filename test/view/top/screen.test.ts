import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { TopActions } from '../../../src/view/top/actions.ts';
import type { Frame } from '../../../src/view/top/frame.ts';
import { TOP_VIEWS } from '../../../src/view/top/index.ts';
import { TopScreen } from '../../../src/view/top/screen.ts';
import { topModel } from '../../support/top-model.ts';

const capture = readFileSync(join(import.meta.dirname, '../../analyze/protocols/captures/http2.pcap'));
const key = (name: string) => ({ name, text: name.length === 1 ? name : undefined });

function screen(columns = 120, rows = 30, refreshed = () => {}) {
  const { model, session } = topModel();
  session.push(capture);
  session.end();
  const done: string[] = [];
  const actions: TopActions = {
    filter: async (text) => {
      done.push(`filter ${text}`);
      if (text.includes('wrong')) throw new Error('it is wrong');
      return undefined;
    },
    pause: (on) => model.pause(on),
    write: async () => 'wrote a.pcapng',
    report: async () => 'wrote a.html',
    jump: async (by) => `jumped ${by}`,
    replay: async () => undefined,
    quit: () => void done.push('quit'),
  };
  const settings = { views: TOP_VIEWS, view: 'services', utf8: true, refresh: () => model.refresh() };
  const refresh = settings.refresh;
  settings.refresh = () => {
    refresh();
    refreshed();
  };
  const top = new TopScreen(model, actions, settings);
  let shown: Frame | undefined;
  const canvas = {
    columns,
    rows,
    busy: false,
    frames: 0,
    draw: (frame: Frame) => {
      canvas.frames += 1;
      shown = frame;
    },
    forget: () => {},
  };
  const press = (...names: readonly string[]) => {
    for (const name of names) top.key(key(name), canvas);
  };
  const text = async () => {
    await sleep(110);
    top.tick(canvas);
    const lines: string[] = [];
    for (let row = 0; row < rows; row += 1) {
      lines.push(shown?.cells.slice(row * columns, (row + 1) * columns).join('') ?? '');
    }
    return lines.join('\n');
  };
  return { top, canvas, press, text, done };
}

test('one look that took long does not put off the next for long', async () => {
  let looks = 0;
  const { text } = screen(120, 30, () => {
    looks += 1;
    const until = performance.now() + (looks === 1 ? 150 : 0);
    while (performance.now() < until);
  });
  await text();
  await sleep(1_600);
  await text();
  expect(looks).toBe(2);
});

test('no more than ten frames a second are drawn, and none while one is on its way', async () => {
  const { top, canvas } = screen();
  const begun = performance.now();
  // For so many frames, however slow the machine is.
  while (canvas.frames < 5) {
    top.changed();
    top.tick(canvas);
    await sleep(5);
  }
  expect(performance.now() - begun).toBeGreaterThanOrEqual(390);
  const { frames } = canvas;
  canvas.busy = true;
  await sleep(110);
  top.changed();
  top.tick(canvas);
  expect(canvas.frames).toBe(frames);
});

test('Tab and digits go through the views', async () => {
  const { press, text } = screen();
  for (const [index, { name }] of TOP_VIEWS.entries()) {
    press(String(index + 1));
    expect(await text()).toContain(` ${index + 1} ${name} `);
  }
  press('tab');
  expect(await text()).toMatch(/^SEVERITY/m);
  press('S-tab');
  expect(await text()).toContain('lost: none');
});

test('an expression goes to the action; what is wrong stays with the prompt', async () => {
  const { press, text, done } = screen();
  press('/', ...'wrong', 'enter');
  expect(await text()).toContain('it is wrong');
  press('C-u', 'q', 'enter');
  await text();
  expect(done).toEqual(['filter wrong', 'filter q']);
  press('q');
  expect(done.at(-1)).toBe('quit');
});

test('s goes through the orders and says which', async () => {
  const { press, text } = screen();
  press('s');
  expect(await text()).toContain('sorted by rate');
  press('S', 'S');
  expect(await text()).toContain('sorted by name');
});

test('what actions say is said in the last line', async () => {
  const { press, text } = screen();
  press('w');
  expect(await text()).toContain('wrote a.pcapng');
  press('<');
  expect(await text()).toContain('jumped -1');
});

test('a screen that is too small says so', async () => {
  expect(await screen(30, 5).text()).toContain('30x5 is too small');
});

test('the help fits 80x24 and 40x8, and scrolls to its end', async () => {
  for (const [columns, rows] of [
    [80, 24],
    [40, 8],
  ] as const) {
    const { press, text } = screen(columns, rows);
    press('?');
    const first = await text();
    expect(first).toContain('Keys');
    expect(first).not.toContain('…');
    expect(first).toMatch(/1-\d+ of \d+ lines/);
    let shown = first;
    for (let page = 0; page < 20; page += 1) {
      press('pagedown');
      shown += `\n${await text()}`;
    }
    const words = shown.replaceAll(/\s+/g, ' ');
    for (const { about } of TOP_VIEWS) {
      for (const word of about.split(' ')) expect(words).toContain(word);
    }
    expect(shown).toMatch(/-(\d+) of \1 lines/);
    press('x');
    expect(await text()).toContain('? help');
  }
});

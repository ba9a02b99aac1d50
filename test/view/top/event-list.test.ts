import { expect, test } from 'vitest';
import type { EventRecord } from '../../../src/analyze/record/record.ts';
import { EventListView } from '../../../src/view/top/event-list.ts';
import { span } from '../../../src/view/top/line.ts';

/** A list of as many as are told, of which the last `kept` are listed; counts what was asked of it. */
class Told {
  end = 0;
  kept = Number.POSITIVE_INFINITY;
  asked = 0;
  opened: string[] = [];
  readonly view = new EventListView({
    columns: [{ title: 'WHAT', width: 8, grows: true, rank: 0, cell: ({ label }) => span(label) }],
    events: () => ({
      first: Math.max(0, this.end - this.kept),
      end: this.end,
      at: (number) => {
        this.asked += 1;
        return number < this.end && number >= this.end - this.kept
          ? ({ label: `event ${number}` } as EventRecord)
          : undefined;
      },
    }),
    enter: ({ label }) => void this.opened.push(label),
  });

  rows(height = 6): string[] {
    return this.view
      .lines(20, height)
      .slice(1)
      .map(
        ({ spans, selected }) =>
          (selected === true ? '>' : ' ') +
          spans
            .map(({ text }) => text)
            .join('')
            .trim(),
      );
  }

  press(...names: readonly string[]): void {
    for (const name of names) this.view.key({ name, text: undefined });
  }
}

test('the newest is last and followed, until the cursor leaves it; f and G follow again', () => {
  const told = new Told();
  told.end = 10;
  expect(told.rows()).toEqual([' event 5', ' event 6', ' event 7', ' event 8', '>event 9']);
  told.end = 20;
  expect(told.rows().at(-1)).toBe('>event 19');
  told.press('k');
  told.rows();
  told.end = 40;
  expect(told.rows()).toEqual([' event 15', ' event 16', ' event 17', '>event 18', ' event 19']);
  expect(told.view.status).toBe('19 of 40');
  told.press('f');
  expect(told.rows().at(-1)).toBe('>event 39');
  told.press('f');
  told.end = 50;
  expect(told.rows().at(-1)).toBe('>event 39');
  told.press('G');
  expect(told.rows().at(-1)).toBe('>event 49');
  told.end = 51;
  expect(told.rows().at(-1)).toBe('>event 50');
});

test('the cursor and what is seen stay where they are while the oldest go, until they go themselves', () => {
  const told = new Told();
  told.kept = 100;
  told.end = 100;
  told.rows();
  told.press('g');
  told.rows();
  told.press('pagedown', 'pagedown', 'pagedown');
  told.rows();
  told.press('k');
  const seen = [' event 11', ' event 12', ' event 13', '>event 14', ' event 15'];
  expect(told.rows()).toEqual(seen);
  told.end = 110;
  expect(told.rows()).toEqual(seen);
  told.end = 500;
  expect(told.rows()[0]).toBe('>event 400');
  expect(told.view.status).toBe('1 of 100, 400 gone');
});

test('of a million events only those that are seen are made', () => {
  const told = new Told();
  told.end = 1_000_000;
  told.rows();
  told.press('pageup', 'pageup', 'g', 'G');
  told.asked = 0;
  expect(told.rows()).toHaveLength(5);
  expect(told.asked).toBe(5);
});

test('Enter opens the event the cursor is on, and nothing where it is kept no more', () => {
  const told = new Told();
  told.end = 10;
  told.rows();
  told.press('k');
  told.rows();
  told.press('enter');
  expect(told.opened).toEqual(['event 8']);
  told.kept = 1;
  told.press('enter');
  expect(told.opened).toEqual(['event 8']);
});

test('with another expression the list is another one: its newest is followed', () => {
  const told = new Told();
  told.end = 100;
  told.rows();
  told.press('g');
  told.rows();
  told.end = 7;
  expect(told.rows()).toEqual([' event 2', ' event 3', ' event 4', ' event 5', '>event 6']);
  told.end = 0;
  expect(told.view.lines(40, 6)[0]?.spans[0]?.text).toBe('No exchanges yet.');
  expect(told.view.status).toBe(undefined);
});

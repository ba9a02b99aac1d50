import { KsnoopError, messageOf } from '../../wire/errors.ts';
import type { TopActions } from './actions.ts';
import { Frame } from './frame.ts';
import { headLine, tabLine } from './head.ts';
import { helpLines } from './help.ts';
import {
  COLUMNS_MINIMUM,
  FRAME_MS,
  MESSAGE_MS,
  REFRESH_LAST_MS,
  REFRESH_MS,
  REFRESH_SHARE,
  ROWS_MINIMUM,
} from './limits.ts';
import { type Line, LOOK, line, span } from './line.ts';
import type { TopModel } from './model.ts';
import { Pane } from './pane.ts';
import { Prompt } from './prompt.ts';
import type { Key, View, ViewKind } from './view.ts';

/** Where frames go: the terminal. */
export interface Canvas {
  readonly columns: number;
  readonly rows: number;
  readonly busy: boolean;
  draw(frame: Frame): void;
  forget(): void;
}

export interface ScreenSettings {
  readonly views: readonly ViewKind[];
  /** The name of the one to begin with. */
  readonly view: string;
  readonly utf8: boolean;
  /** Look at the model again: what it answers from then on is what there is now. */
  readonly refresh: () => void;
}

/** Puts the views, the lines around them and the prompt on one screen, and dispatches the keys. */
export class TopScreen {
  /** Milliseconds that looking and drawing have taken, and frames. */
  spentMs = 0;
  frames = 0;
  readonly #model: TopModel;
  readonly #actions: TopActions;
  readonly #settings: ScreenSettings;
  readonly #views: readonly { readonly kind: ViewKind; readonly view: View }[];
  readonly #prompt = new Prompt();
  #current = 0;
  #mode: 'view' | 'help' | 'prompt' = 'view';
  #help = new Pane();
  #message: { readonly text: string; readonly failed: boolean; readonly until: number } | undefined;
  #dirty = true;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #refreshAt = 0;

  constructor(model: TopModel, actions: TopActions, settings: ScreenSettings) {
    this.#model = model;
    this.#actions = actions;
    this.#settings = settings;
    this.#views = settings.views.map((kind) => ({ kind, view: kind.create(model) }));
    this.#current = Math.max(
      0,
      settings.views.findIndex(({ name }) => name === settings.view),
    );
  }

  /** Draw again although nothing was refreshed: the size changed, for example. */
  changed(): void {
    this.#dirty = true;
  }

  /** Show a message in the last line. */
  say(text: string, failed = false): void {
    this.#message = { text, failed, until: performance.now() + MESSAGE_MS };
    this.#dirty = true;
  }

  /** Draw if anything changed; to be called often. */
  tick(canvas: Canvas): void {
    const began = performance.now();
    if (canvas.busy || began - this.#drawnAt < FRAME_MS - 5) return;
    if (this.#message !== undefined && began > this.#message.until) {
      this.#message = undefined;
      this.#dirty = true;
    }
    const refreshes = began >= this.#refreshAt;
    if (!refreshes && !this.#dirty) return;
    if (refreshes) this.#settings.refresh();
    this.#dirty = false;
    canvas.draw(this.#frame(canvas.columns, canvas.rows));
    const took = performance.now() - began;
    this.#drawnAt = began;
    if (refreshes) this.#refreshAt = began + Math.min(REFRESH_LAST_MS, Math.max(REFRESH_MS, took * REFRESH_SHARE));
    this.spentMs += took;
    this.frames += 1;
  }

  key(key: Key, canvas: Canvas): void {
    this.#dirty = true;
    if (this.#mode === 'prompt') {
      this.#promptKey(key);
      return;
    }
    if (key.name === 'C-c' || key.name === 'q') {
      if (this.#mode === 'help' && key.name === 'q') this.#mode = 'view';
      else this.#actions.quit();
      return;
    }
    if (key.name === 'C-l') {
      canvas.forget();
      return;
    }
    if (this.#mode === 'help') this.#helpKey(key);
    else if (!this.#screenKey(key)) this.#view.key(key);
  }

  get #view(): View {
    const { view } = this.#views[this.#current] as { view: View };
    return view;
  }

  #promptKey(key: Key): void {
    const end = this.#prompt.key(key);
    if (end === undefined) return;
    if (end === 'given up') {
      this.#mode = 'view';
      return;
    }
    void this.#do(
      () => this.#actions.filter(this.#prompt.text.trim()),
      (mistake) => {
        this.#prompt.mistake = mistake;
      },
      () => {
        this.#mode = 'view';
      },
    );
  }

  /** Keys that scroll it; any other closes it. */
  #helpKey({ name }: Key): void {
    if (!this.#help.key(name)) this.#mode = 'view';
  }

  /** @returns whether it is a key of all views */
  #screenKey({ name }: Key): boolean {
    const { length } = this.#views;
    switch (name) {
      case 'tab':
      case 'right':
        this.#current = (this.#current + 1) % length;
        return true;
      case 'S-tab':
      case 'left':
        this.#current = (this.#current + length - 1) % length;
        return true;
      case '?':
        this.#mode = 'help';
        this.#help = new Pane();
        return true;
      case '/':
        this.#mode = 'prompt';
        this.#prompt.open(this.#model.head.filter ?? '');
        return true;
      case 's':
        this.#sort(1);
        return true;
      case 'S':
        this.#sort(-1);
        return true;
      case 'p':
        this.#actions.pause(this.#model.head.paused === undefined);
        return true;
      case 'w':
        void this.#do(() => this.#actions.write());
        return true;
      case 'r':
        void this.#do(() => this.#actions.report());
        return true;
      case ' ':
        void this.#do(() => this.#actions.replay());
        return true;
      case '<':
      case '>':
        void this.#do(() => this.#actions.jump(name === '<' ? -1 : 1));
        return true;
    }
    const digit = /^[1-9]$/.test(name) ? Number(name) : 0;
    if (digit === 0 || digit > length) return false;
    this.#current = digit - 1;
    return true;
  }

  #sort(by: 1 | -1): void {
    const { orders, order } = this.#view;
    if (orders.length === 0) {
      this.say('This view cannot be sorted.');
      return;
    }
    const next = orders[(orders.indexOf(order ?? '') + by + orders.length) % orders.length] as string;
    this.#view.sortBy(next);
    this.say(`sorted by ${next}`);
  }

  /** Run an action; its message, or its error, is shown. */
  async #do(
    action: () => Promise<string | undefined>,
    failed: (text: string) => void = (text) => this.say(text, true),
    done: () => void = () => {},
  ): Promise<void> {
    try {
      const message = await action();
      done();
      if (message !== undefined) this.say(message);
    } catch (thrown) {
      failed(
        thrown instanceof KsnoopError ? [thrown.message, thrown.hint ?? ''].join(' ').trimEnd() : messageOf(thrown),
      );
    }
    this.#refreshAt = 0;
    this.#dirty = true;
  }

  #frame(columns: number, rows: number): Frame {
    const frame = new Frame(columns, rows, this.#settings.utf8);
    if (columns < COLUMNS_MINIMUM || rows < ROWS_MINIMUM) {
      frame.draw(0, line(span(`${columns}x${rows} is too small: ${COLUMNS_MINIMUM}x${ROWS_MINIMUM} is needed.`)));
      return frame;
    }
    const { head, capture } = this.#model;
    const height = rows - 2 - this.#lastLines(columns).length;
    const names = this.#views.map(({ kind }) => kind.name);
    const body =
      this.#mode === 'help'
        ? this.#help.lines(helpLines(this.#settings.views, columns), height)
        : this.#view.lines(columns, height);
    const last = this.#lastLines(columns);
    frame.draw(0, headLine(capture.source, head, columns), LOOK.bar);
    frame.draw(
      1,
      tabLine({
        names,
        current: names[this.#current] ?? '',
        filter: head.filter,
        status: this.#view.status,
        width: columns,
      }),
    );
    for (const [index, each] of body.slice(0, height).entries()) frame.draw(2 + index, each);
    for (const [index, each] of last.entries()) frame.draw(rows - last.length + index, each);
    return frame;
  }

  #lastLines(width: number): readonly Line[] {
    if (this.#mode === 'prompt') return this.#prompt.lines(width);
    if (this.#message !== undefined) {
      return [line(span(this.#message.text, this.#message.failed ? LOOK.failure : LOOK.strong))];
    }
    if (this.#mode === 'help') {
      const { status } = this.#help;
      const scroll = status === undefined ? '' : `${status}  ↑ ↓ scroll  `;
      return [line(span(`${scroll}q back`, LOOK.aside))];
    }
    const { order } = this.#view;
    const sorted = order === undefined ? '' : `s sort: ${order}  `;
    const paused = this.#model.head.paused === undefined ? 'p pause' : 'p continue';
    return [line(span(`? help  Tab view  / filter  ${sorted}${paused}  w write  q quit`, LOOK.aside))];
  }
}

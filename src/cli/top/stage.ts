import { openSync } from 'node:fs';
import { isatty, ReadStream } from 'node:tty';
import { wantsColour } from '../../view/colour.ts';
import type { TopActions } from '../../view/top/actions.ts';
import { TOP_VIEWS } from '../../view/top/index.ts';
import { FRAME_MS } from '../../view/top/limits.ts';
import { TopScreen } from '../../view/top/screen.ts';
import { Terminal } from '../../view/top/terminal.ts';
import { KsnoopError } from '../../wire/errors.ts';
import type { Top } from './model.ts';
import { takesUtf8 } from './options.ts';

/** The terminal with the screen on it, from when it is opened until it is given back. */
export class Stage {
  readonly screen: TopScreen;
  readonly #actions: TopActions;
  #terminal: Terminal | undefined;
  #tick: NodeJS.Timeout | undefined;

  constructor(model: Top, actions: TopActions, view: string) {
    this.#actions = actions;
    this.screen = new TopScreen(model, actions, {
      views: TOP_VIEWS,
      view,
      utf8: takesUtf8(process.env),
      refresh: () => model.refresh(),
    });
  }

  get isOpen(): boolean {
    return this.#terminal !== undefined;
  }

  /** @throws KsnoopError NO_TERMINAL where keys can be had from nowhere */
  open(): void {
    const ends = {
      input: keys(),
      output: process.stdout,
      colour: wantsColour(process.stdout, process.env),
    };
    const terminal: Terminal = new Terminal(
      ends,
      (key) => {
        this.screen.key(key, terminal);
        this.screen.tick(terminal);
      },
      () => {
        this.screen.changed();
        this.screen.tick(terminal);
      },
    );
    this.#terminal = terminal;
    this.#tick = setInterval(() => this.screen.tick(terminal), FRAME_MS);
    // A keyboard that hangs up is the end, as q is.
    ends.input.once('end', () => this.#actions.quit());
    ends.input.once('error', () => this.#actions.quit());
  }

  /** Draw at once, then give the terminal back. */
  async close(): Promise<void> {
    clearInterval(this.#tick);
    const terminal = this.#terminal;
    this.#terminal = undefined;
    await terminal?.release();
  }
}

/** Where keys come from: stdin, or the terminal itself where stdin is something else: `ksnoop top -`. */
function keys(): ReadStream {
  // process.stdin would open it a second time where it is read as a capture.
  if (isatty(0)) return process.stdin;
  try {
    return new ReadStream(openSync('/dev/tty', 'r'));
  } catch (cause) {
    throw new KsnoopError(
      'NO_TERMINAL',
      'There is no terminal to read keys from: stdin is not a terminal, and /dev/tty does not exist.',
      {
        hint: 'Without keys: ksnoop read FILE -o summary.',
        cause,
      },
    );
  }
}

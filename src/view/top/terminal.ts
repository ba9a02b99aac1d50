import { EventEmitter } from 'node:events';
import { write, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReadStream } from 'node:tty';
import Program from 'blessed/lib/program.js';
import type { Frame } from './frame.ts';
import { changes } from './paint.ts';
import type { Key } from './view.ts';

/** Time after which a terminal that takes nothing is tried again. */
const AGAIN_MS = 10;

/** How long a terminal that takes nothing is waited for at the end. */
const RELEASE_MS = 500;

/** Synchronized output: terminals that support it show a frame at once, others ignore it. */
const BEGIN = '\x1b[?2026h';
const END = '\x1b[?2026l';

const OPEN = '\x1b[?1049h\x1b[?25l';
/** Colours off, cursor on, the screen that was there before. */
const RESTORE = `${END}\x1b[0m\x1b[?25h\x1b[?1049l`;

export interface TerminalEnds {
  /** Where keys come from. */
  readonly input: ReadStream;
  /** The descriptor that is drawn on, and the size of what it is. */
  readonly output: { readonly fd: number; readonly columns: number; readonly rows: number } & EventEmitter;
  readonly colour: boolean;
}

/**
 * A terminal while ksnoop has it: keys come in, frames go out, and whatever ends the process, it is given back as it was.
 * blessed reads the keys; what is drawn is compared and written here, because its own screen counts wide characters
 * as one cell and writes in the way of the event loop, which must go on sending heartbeats.
 */
export class Terminal {
  readonly #ends: TerminalEnds;
  readonly #program: Program;
  readonly #restore = () => this.close();
  readonly #continued = () => this.#takeAgain();
  readonly #resized: () => void;
  #shown: Frame | undefined;
  #waiting = '';
  #writing = false;
  #closed = false;

  constructor(ends: TerminalEnds, onKey: (key: Key) => void, onResize: () => void) {
    this.#ends = ends;
    process.on('exit', this.#restore);
    process.on('SIGCONT', this.#continued);
    this.#resized = () => {
      this.#shown = undefined;
      onResize();
    };
    ends.output.on('resize', this.#resized);
    // Without a terminfo file: the few codes that are sent are the same in every terminal there is.
    const silent = Object.assign(new EventEmitter(), { isTTY: true, columns: 1, rows: 1, write: () => true });
    this.#program = new Program({ input: ends.input, output: silent, terminal: 'xterm-256color', tput: false });
    this.#program.on('keypress', (character, key) => {
      for (const pressed of keysOf(character, key)) onKey(pressed);
    });
    this.#write(OPEN);
  }

  get columns(): number {
    return this.#ends.output.columns || 80;
  }

  get rows(): number {
    return this.#ends.output.rows || 24;
  }

  /** What was drawn is still on its way: another frame would only wait. */
  get busy(): boolean {
    return this.#writing;
  }

  draw(frame: Frame): void {
    const text = changes(this.#shown, frame, this.#ends.colour);
    this.#shown = frame;
    if (text !== '') this.#write(BEGIN + text + END);
  }

  /** Forget what is shown: the next frame is drawn whole. */
  forget(): void {
    this.#shown = undefined;
  }

  /** Give it back once what was drawn has arrived. */
  async release(): Promise<void> {
    const deadline = performance.now() + RELEASE_MS;
    while (this.#writing && performance.now() < deadline) await sleep(AGAIN_MS);
    this.close();
  }

  /** Give it back at once. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    process.off('exit', this.#restore);
    process.off('SIGCONT', this.#continued);
    this.#ends.output.off('resize', this.#resized);
    this.#program.destroy();
    try {
      writeSync(this.#ends.output.fd, RESTORE);
    } catch {
      // The terminal is gone.
    }
  }

  /** After `kill -STOP` and `-CONT` the shell may have changed everything. */
  #takeAgain(): void {
    this.#ends.input.setRawMode(true);
    this.#write(OPEN);
    this.#resized();
  }

  #write(text: string): void {
    if (this.#closed) return;
    this.#waiting += text;
    if (!this.#writing) this.#next();
  }

  #next(): void {
    if (this.#waiting === '' || this.#closed) {
      this.#writing = false;
      return;
    }
    this.#writing = true;
    const bytes = Buffer.from(this.#waiting, 'utf8');
    this.#waiting = '';
    this.#step(bytes);
  }

  #step(bytes: Uint8Array): void {
    write(this.#ends.output.fd, bytes, (error, count) => {
      if (this.#closed) return;
      if (error?.code === 'EAGAIN') setTimeout(() => this.#step(bytes), AGAIN_MS);
      else if (error !== null && error !== undefined) this.#writing = false;
      else if (count < bytes.length) this.#step(bytes.subarray(count));
      else this.#next();
    });
  }
}

function keysOf(character: string | undefined, { name, full, sequence }: BlessedKey): readonly Key[] {
  // It reports Enter twice: as `return` and as `enter`.
  if (name === 'return') return [];
  if (name === 'linefeed') return [{ name: 'enter', text: undefined }];
  // Esc and what was typed at once after it look like Alt and that key, which nothing here has a use for.
  if (sequence?.length === 2 && sequence.startsWith('\x1b') && sequence[1] !== '\x1b') {
    const typed = sequence.slice(1);
    return [
      ESCAPE,
      typed >= ' ' && typed !== '\x7f' ? { name: typed, text: typed } : { name: full.slice(2), text: undefined },
    ];
  }
  if (name === 'escape') return [ESCAPE];
  const printable = character !== undefined && character >= ' ' && character !== '\x7f';
  return [printable ? { name: character, text: character } : { name: full, text: undefined }];
}

const ESCAPE: Key = { name: 'escape', text: undefined };

/** A key as blessed reports it. */
type BlessedKey = Parameters<Parameters<Program['on']>[1]>[1];

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { HANG_MS } from './hang.ts';

let terminals = 0;

/** A program in a real terminal (tmux's): keys go in, the screen is looked at. */
export class Terminal {
  readonly #socket = `ksnoop-test-${process.pid}-${++terminals}`;

  /** @param env replaces nothing of the test's own environment but adds to it */
  constructor(command: readonly string[], env: Readonly<Record<string, string>> = {}, columns = 120, rows = 40) {
    const set = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const size = ['-x', String(columns), '-y', String(rows)];
    this.#tmux('-f', '/dev/null', 'new-session', '-d', ...size, 'env', ...set, ...command);
  }

  /** Keys by tmux's names: `Tab`, `Enter`, `C-c`. */
  press(...keys: readonly string[]): void {
    this.#tmux('send-keys', ...keys);
  }

  type(text: string): void {
    this.#tmux('send-keys', '-l', text);
  }

  screen(): string {
    return this.#tmux('capture-pane', '-p');
  }

  /** The screen with the codes of its colours. */
  painted(): string {
    return this.#tmux('capture-pane', '-p', '-e');
  }

  /** Whether it is as a shell has it: its own screen, a cursor that is seen. */
  isWhole(): boolean {
    return this.#tmux('display-message', '-p', '#{alternate_on} #{cursor_flag}').trim() === '0 1';
  }

  resize(columns: number, rows: number): void {
    this.#tmux('resize-window', '-x', String(columns), '-y', String(rows));
  }

  /** Resolves with the screen once it matches; rejects with it when it does not within `timeoutMs`. */
  async shows(pattern: RegExp, timeoutMs = HANG_MS): Promise<string> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const screen = this.screen();
      if (pattern.test(screen)) return this.#whole(pattern, screen);
      if (Date.now() > deadline) throw new Error(`the screen does not show ${pattern}:\n${screen}`);
      await sleep(50);
    }
  }

  /** Whether its program waits for the terminal: it runs no other program at the moment. */
  isIdle(): boolean {
    const pid = this.#tmux('display-message', '-p', '#{pane_pid}').trim();
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim() === '';
  }

  /** A screen that was looked at while it was drawn may lack its last lines: the next look has them. */
  async #whole(pattern: RegExp, screen: string): Promise<string> {
    for (let before = screen, looks = 0; looks < 20; looks += 1) {
      await sleep(50);
      const now = this.screen();
      if (!pattern.test(now) || now === before) return before;
      before = now;
    }
    return screen;
  }

  close(): void {
    try {
      this.#tmux('kill-server');
    } catch {
      // It has ended with its program.
    }
  }

  #tmux(...args: readonly string[]): string {
    return execFileSync('tmux', ['-L', this.#socket, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }
}

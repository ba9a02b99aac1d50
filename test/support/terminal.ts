import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

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
  async shows(pattern: RegExp, timeoutMs = 15_000): Promise<string> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const screen = this.screen();
      if (pattern.test(screen)) return screen;
      if (Date.now() > deadline) throw new Error(`the screen does not show ${pattern}:\n${screen}`);
      await sleep(50);
    }
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

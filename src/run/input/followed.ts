import { fstatSync, statSync } from 'node:fs';

/** `cut`: it is shorter than what was read of it. `replaced`: its name belongs to another file or to none. */
export type FollowedState = 'same' | 'cut' | 'replaced';

/** A file that is read as it grows, and what its writer does to it meanwhile. */
export class Followed {
  readonly #descriptor: number;
  readonly #path: string;

  /** @param path `-` for stdin, whose name is not known */
  constructor(descriptor: number, path: string) {
    this.#descriptor = descriptor;
    this.#path = path;
  }

  /** @param position bytes read of it */
  state(position: number): FollowedState {
    const opened = fstatSync(this.#descriptor);
    if (opened.size < position) return 'cut';
    if (this.#path === '-') return 'same';
    const named = statSync(this.#path, { throwIfNoEntry: false });
    return named?.ino === opened.ino && named.dev === opened.dev ? 'same' : 'replaced';
  }
}

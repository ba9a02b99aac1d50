import type { Line } from './line.ts';
import type { TopModel } from './model.ts';

/** A key that was pressed. */
export interface Key {
  /** `up`, `pagedown`, `enter`, `escape`, `tab`, `S-tab`, `C-c`; of a printable one the character itself: `j`, `G`, `/`. */
  readonly name: string;
  /** What a printable key types. */
  readonly text: string | undefined;
}

/**
 * A view of `ksnoop top`: one file each, listed in index.ts. It reads its rows from the model whenever it draws
 * (the model answers from what it keeps at that moment, and makes what is costly at most once per refresh), and
 * returns only lines that are seen. It keeps where the cursor is, how rows are sorted, and what is open on top of them.
 */
export interface ViewKind {
  /** The name of its tab, and of `--view`: `services`. */
  readonly name: string;
  /** For `?`, one sentence. */
  readonly about: string;
  /** Keys it takes besides those of all views, for `?`: `Enter`, `one exchange`. */
  readonly keys: readonly (readonly [key: string, does: string])[];
  create(model: TopModel): View;
}

export interface View {
  /** What `s` goes through, in that order; empty where rows have one order only. */
  readonly orders: readonly string[];
  /** The one in use, of `orders`. */
  readonly order: string | undefined;
  /** Take another order of `orders`. */
  sortBy(order: string): void;
  /**
   * At most `height` lines of at most `width` cells (what is wider is cut by the frame). Called at most ten times a
   * second and only when the view is seen; it must cost by `height`, not by the number of rows there are, where those
   * may be many. Texts need not be sanitised; widths are counted with `cellWidth`, never with `length`.
   */
  lines(width: number, height: number): readonly Line[];
  /**
   * A key that the screen itself does not take (q ? / s S p w r < > Tab ← → Ctrl-C Ctrl-L and the digits are the
   * screen's).
   * @returns whether it meant something here: Esc that a view does not take closes nothing
   */
  key(key: Key): boolean;
  /** Shown at the right of the bar above: `23 of 4,096 services`; undefined for nothing. */
  readonly status: string | undefined;
}

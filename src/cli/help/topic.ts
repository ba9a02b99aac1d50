/** A page of help: shown by `ksnoop help NAME`, and the manual page ksnoop-NAME(7). */
export interface Topic {
  readonly name: string;
  /** One line, for lists of topics. */
  readonly summary: string;
  readonly sections: readonly Section[];
}

export interface Section {
  readonly title: string;
  readonly parts: readonly Part[];
}

/** A paragraph, lines to type, or terms with what they mean. */
export type Part =
  | { readonly text: string }
  | { readonly lines: readonly string[] }
  | { readonly terms: readonly (readonly [term: string, meaning: string])[] };

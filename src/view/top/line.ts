/** How a stretch of the screen looks. What a look is in colours, or without, is the terminal's affair. */
export const LOOK = {
  plain: 0,
  /** A heading, or what is to be seen first. */
  strong: 1,
  /** A remark that is not the packet's own words. */
  aside: 2,
  failure: 3,
  warning: 4,
  good: 5,
  /** A name that stands out: a service, a pod. */
  name: 6,
  /** The lines above and below the view. */
  bar: 7,
  /** In a bar: something is missing. */
  alarm: 8,
} as const;
export type Look = (typeof LOOK)[keyof typeof LOOK];

/** A text of one look. The frame sanitises it: it may come from the network as it is. */
export interface Span {
  readonly text: string;
  readonly look?: Look | undefined;
}

/** A line of the screen. What is wider than the screen is cut. */
export interface Line {
  readonly spans: readonly Span[];
  /** The cursor is on it. */
  readonly selected?: boolean;
}

export function span(text: string, look: Look = LOOK.plain): Span {
  return { text, look };
}

export function line(...spans: readonly Span[]): Line {
  return { spans };
}

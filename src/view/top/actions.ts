/** What keys of the screen do beyond the screen. */
export interface TopActions {
  /**
   * Show only what matches, everything for an empty text. @returns a message to show, if any
   * @throws KsnoopError USAGE with the place in the expression
   */
  filter(text: string): Promise<string | undefined>;
  /** Keep the screen as it is while packets go on to be taken, or show again what comes. */
  pause(on: boolean): void;
  /** Write the packets that are kept to a new file. @returns a sentence that names it @throws KsnoopError */
  write(): Promise<string>;
  /** Write a report of the packets that are kept to a new file. @returns a sentence that names it @throws KsnoopError */
  report(): Promise<string>;
  /** Go back or forth in a file. @returns a sentence where that cannot be; @param by -1 or 1 steps */
  jump(by: -1 | 1): Promise<string | undefined>;
  /** Show a file again as fast as it was captured, from the current position or from its beginning. @returns a message */
  replay(): Promise<string | undefined>;
  quit(): void;
}

/** What ksnoop uses of blessed 0.1.81: the part that reads keys; @types/blessed describes the widgets only. */
declare module 'blessed/lib/program.js' {
  import type { EventEmitter } from 'node:events';

  interface Key {
    readonly name: string | undefined;
    /** With its modifiers: `C-c`, `S-tab`. */
    readonly full: string;
    readonly sequence: string | undefined;
  }

  interface Options {
    readonly input: NodeJS.ReadableStream;
    readonly output: EventEmitter;
    readonly terminal: string;
    /** Whether it reads terminfo. */
    readonly tput: boolean;
  }

  export default class Program {
    constructor(options: Options);
    on(event: 'keypress', listener: (character: string | undefined, key: Key) => void): void;
    destroy(): void;
  }
}

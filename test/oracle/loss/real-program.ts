import type { Exchange } from '../../../src/analyze/record/event.ts';

/** A server and a client whose requests and answers are numbered. */
export interface RealProgram {
  readonly protocol: string;
  readonly title: string;
  /** Debian's, which the test installs. */
  readonly packages: readonly string[];
  readonly port: number;
  /** @param directory for the server's files @returns the server's command, which stays in the foreground */
  server(directory: string, count: number): string[];
  /** @returns the client's command, and what it reads on stdin */
  client(count: number): { readonly argv: string[]; readonly stdin: string };
  /** The numbers of the answers that the client has printed, in the order of its requests. */
  answered(stdout: string): number[];
  /** Whether the protocol calls an answer a failure. @param answer its number */
  fails(answer: number): boolean;
  /** Whether the status alone shows a failure, also where it does not tell which answer it is. */
  showsFailure?(status: string): boolean;
  requestOf(event: Exchange): number | undefined;
  answerOf(event: Exchange): number | undefined;
}

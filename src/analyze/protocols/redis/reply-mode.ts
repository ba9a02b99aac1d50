/** Whether a connection's commands are answered: CLIENT REPLY ON, OFF or SKIP (redis.io, "CLIENT REPLY"). */
export class ReplyMode {
  #off = false;
  #skip = false;

  /** The next command of the client. @returns whether the server sends no answer to it */
  isSilent(command: string, args: readonly string[]): boolean {
    const skipped = this.#skip;
    this.#skip = false;
    if (command === 'RESET') {
      this.#off = false;
      return false;
    }
    if (command !== 'CLIENT' || args[0]?.toUpperCase() !== 'REPLY') return this.#off || skipped;
    const mode = args[1]?.toUpperCase();
    if (mode === 'ON') this.#off = false;
    else if (mode === 'OFF') this.#off = true;
    else if (mode === 'SKIP') this.#skip = !this.#off;
    else return this.#off;
    return mode !== 'ON';
  }
}

/** Packets and bytes by interface of the analysis. */
export class InterfaceCounts {
  packets = 0;
  bytes = 0;
  readonly #packets: number[] = [];
  readonly #bytes: number[] = [];
  readonly #truncated: number[] = [];

  add(interfaceId: number, caplen: number, origlen: number): void {
    if (this.#packets[interfaceId] === undefined) {
      this.#packets[interfaceId] = 0;
      this.#bytes[interfaceId] = 0;
      this.#truncated[interfaceId] = 0;
    }
    this.packets += 1;
    this.bytes += caplen;
    this.#packets[interfaceId] = (this.#packets[interfaceId] as number) + 1;
    this.#bytes[interfaceId] = (this.#bytes[interfaceId] as number) + caplen;
    if (caplen < origlen) this.#truncated[interfaceId] = (this.#truncated[interfaceId] as number) + 1;
  }

  of(interfaceId: number): { readonly packets: number; readonly bytes: number; readonly truncated: number } {
    return {
      packets: this.#packets[interfaceId] ?? 0,
      bytes: this.#bytes[interfaceId] ?? 0,
      truncated: this.#truncated[interfaceId] ?? 0,
    };
  }
}

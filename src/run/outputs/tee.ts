import type { InterfaceOrigin } from '../../capture/streams/merge.ts';
import type { NamedAddress } from '../../wire/pcapng-write.ts';
import type { Output, PodKeys } from './output.ts';

/** One capture into two outputs. It ends as soon as one of them can take no more. */
export class TeeOutput implements Output {
  readonly #first: Output;
  readonly #second: Output;

  constructor(first: Output, second: Output) {
    this.#first = first;
    this.#second = second;
  }

  get pending(): number {
    return this.#first.pending + this.#second.pending;
  }

  get ended(): boolean {
    return this.#first.ended || this.#second.ended;
  }

  get omitted(): string | undefined {
    const parts = [this.#first.omitted, this.#second.omitted].filter((part) => part !== undefined);
    return parts.length === 0 ? undefined : parts.join('; ');
  }

  get podKeys(): PodKeys | undefined {
    const [first, second] = [this.#first.podKeys, this.#second.podKeys];
    return first === undefined || second === undefined
      ? (first ?? second)
      : { file: first.file, keys: [...first.keys, ...second.keys] };
  }

  flush(): void {
    this.#first.flush();
    this.#second.flush();
  }

  addNames(records: readonly NamedAddress[]): void {
    this.#first.addNames(records);
    this.#second.addNames(records);
  }

  addInterface(id: number, bytes: Uint8Array, offset: number, length: number, origin: InterfaceOrigin): void {
    this.#first.addInterface(id, bytes, offset, length, origin);
    this.#second.addInterface(id, bytes, offset, length, origin);
  }

  write(type: number, id: number, bytes: Uint8Array, offset: number, length: number): void {
    this.#first.write(type, id, bytes, offset, length);
    this.#second.write(type, id, bytes, offset, length);
  }

  async close(reason: string): Promise<void> {
    await Promise.all([this.#first.close(reason), this.#second.close(reason)]);
  }
}

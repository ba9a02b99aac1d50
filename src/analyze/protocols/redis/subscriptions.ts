type Kind = 'channels' | 'patterns' | 'shards';

/** What a subscription command, or its confirmation, is about. */
const KINDS: Readonly<Record<string, Kind>> = {
  subscribe: 'channels',
  unsubscribe: 'channels',
  psubscribe: 'patterns',
  punsubscribe: 'patterns',
  ssubscribe: 'shards',
  sunsubscribe: 'shards',
};

/** Whether a word, in any case, is a subscription command or the kind of its confirmations. */
export function isSubscription(word: string): boolean {
  return word.length <= 12 && Object.hasOwn(KINDS, word.toLowerCase());
}

/**
 * How many subscriptions a connection has (redis.io, "Pub/Sub"), from the counts in the server's confirmations: channels and
 * patterns are counted together, shard channels apart. NaN is a number that is not known.
 */
export class Subscriptions {
  #channels: number;
  #patterns: number;
  #shards: number;

  /** @param known the connection's beginning was seen: it has none */
  constructor(known: boolean) {
    const none = known ? 0 : Number.NaN;
    this.#channels = none;
    this.#patterns = none;
    this.#shards = none;
  }

  /** Whether messages may come; undefined where that is not known. */
  get active(): boolean | undefined {
    const total = this.#channels + this.#patterns + this.#shards;
    if (total === 0) return false;
    return this.#channels > 0 || this.#patterns > 0 || this.#shards > 0 ? true : undefined;
  }

  /** Confirmations of a command without arguments: one for each subscription of its kind, one where there is none. */
  confirmationsOf(command: string): number {
    const kind = KINDS[command.toLowerCase()];
    const count = kind === 'channels' ? this.#channels : kind === 'patterns' ? this.#patterns : this.#shards;
    return Math.max(1, count);
  }

  /** A confirmation came. @param count what it states */
  confirm(confirmation: string, count: number): void {
    const kind = KINDS[confirmation.toLowerCase()];
    if (kind === 'shards') this.#shards = count;
    else if (count === 0) {
      this.#channels = 0;
      this.#patterns = 0;
    } else if (kind === 'channels') this.#channels = Math.max(0, count - this.#patterns);
    else this.#patterns = Math.max(0, count - this.#channels);
  }

  /** Confirmations were not captured. */
  forget(): void {
    this.#channels = Number.NaN;
    this.#patterns = Number.NaN;
    this.#shards = Number.NaN;
  }

  /** The client sent RESET. */
  clear(): void {
    this.#channels = 0;
    this.#patterns = 0;
    this.#shards = 0;
  }
}

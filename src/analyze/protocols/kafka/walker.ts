import { i32, u8, u16 } from '../../bytes.ts';
import { TEXT_MAXIMUM } from '../../limits.ts';
import { latin1, utf8 } from '../../record/text.ts';
import type { Part } from './schema.ts';

/** Names kept of one message. */
const NAMES_MAXIMUM = 16;

/** Names of topics by their ids (16 bytes as latin-1), as far as connections have shown them; beyond a bound the oldest are forgotten. */
export type TopicNames = Map<string, string>;

/** Topic ids remembered, of all connections. */
const TOPIC_IDS_MAXIMUM = 8192;

const NO_ID = '\0'.repeat(16);

/** Walks over one message's body and takes note of what its schema marks. Reused: read it before the next walk. */
export class Walker {
  /** The first error code other than 0, or 0. */
  error = 0;
  /** Whether there was an error code at all. */
  answered = false;
  /** First names, at most NAMES_MAXIMUM; `topicCount` counts them all, as far as the message was kept. */
  readonly topics: string[] = [];
  topicCount = 0;
  group = '';
  mechanism = '';
  acks = -1;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;
  #version = 0;
  #flexible = false;
  #names: TopicNames | undefined;
  #learn = false;
  #allNames = false;
  #lastTopic = '';

  /**
   * @param flexible the message has compact lengths and tagged fields (KIP-482)
   * @param names looked up for topic ids; with `learn` also given those that the message has
   * @param allNames more than the first topic is of interest
   * @returns whether the message was walked to its schema's end
   */
  walk(
    parts: readonly Part[],
    version: number,
    flexible: boolean,
    bytes: Uint8Array,
    start: number,
    end: number,
    names: TopicNames,
    learn: boolean,
    allNames: boolean,
  ): boolean {
    this.reset();
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#version = version;
    this.#flexible = flexible;
    this.#names = names;
    this.#learn = learn;
    this.#allNames = allNames;
    const whole = this.#structure(parts);
    this.#bytes = NOTHING;
    this.#names = undefined;
    return whole;
  }

  reset(): void {
    this.error = 0;
    this.answered = false;
    this.topics.length = 0;
    this.topicCount = 0;
    this.group = '';
    this.mechanism = '';
    this.acks = -1;
    this.#lastTopic = '';
  }

  #structure(parts: readonly Part[]): boolean {
    for (const part of parts) {
      if (this.#version < part.from || this.#version > part.to) continue;
      if (!this.#part(part)) return false;
    }
    return true;
  }

  #part(part: Part): boolean {
    switch (part.kind) {
      case 'skip':
        return this.#skip(part.size);
      case 'string':
        return this.#skip(this.#stringLength());
      case 'bytes':
        return this.#skip(this.#flexible ? this.#compactLength() : this.#length4());
      case 'error':
        return this.#errorCode();
      case 'topic':
        return this.#topic();
      case 'topicId':
        return this.#topicId();
      case 'acks':
        if (!this.#has(2)) return false;
        this.acks = (u16(this.#bytes, this.#at) << 16) >> 16;
        return this.#skip(2);
      case 'group':
        return this.#named('group');
      case 'mechanism':
        return this.#named('mechanism');
      default:
        return this.#array(part);
    }
  }

  #array(part: Part): boolean {
    const count = this.#flexible ? this.#compactLength() : this.#length4();
    if (count < 0) return count === NULL;
    if (part.kind === 'numbers') return this.#skip(count * part.size);
    for (let index = 0; index < count; index += 1) {
      if (!this.#element(part)) return false;
    }
    return true;
  }

  #element(part: Part): boolean {
    // Whatever an element is, it has an byte at least: no count can keep this going.
    if (this.#at >= this.#end) return false;
    if (part.kind === 'strings') return this.#skip(this.#stringLength());
    if (part.kind === 'groups') return this.#named('group');
    if (part.kind === 'topics') return this.#topic();
    return this.#structure(part.parts) && (!this.#flexible || this.#tags());
  }

  #tags(): boolean {
    const count = this.#varint();
    if (count < 0) return false;
    for (let index = 0; index < count; index += 1) {
      if (this.#varint() < 0 || !this.#skip(this.#varint())) return false;
    }
    return true;
  }

  #errorCode(): boolean {
    if (!this.#has(2)) return false;
    const code = (u16(this.#bytes, this.#at) << 16) >> 16;
    this.answered = true;
    if (this.error === 0) this.error = code;
    return this.#skip(2);
  }

  #topic(): boolean {
    const start = this.#textStart();
    if (start < 0) return start === NULL;
    this.topicCount += 1;
    if (this.topics.length > 0 && !this.#learn && (!this.#allNames || this.topics.length >= NAMES_MAXIMUM)) return true;
    this.#lastTopic = utf8(this.#bytes, start, Math.min(this.#at, start + TEXT_MAXIMUM));
    if (this.topics.length < NAMES_MAXIMUM) this.topics.push(this.#lastTopic);
    return true;
  }

  #topicId(): boolean {
    if (!this.#has(16)) return false;
    const names = this.#names;
    if (this.#learn || this.topics.length === 0 || this.#allNames) {
      const id = latin1(this.#bytes, this.#at, this.#at + 16);
      if (this.#learn) {
        if (this.#lastTopic !== '' && id !== NO_ID && names !== undefined) remember(names, id, this.#lastTopic);
      } else {
        const name = names?.get(id);
        if (name !== undefined && this.topics.length < NAMES_MAXIMUM) this.topics.push(name);
      }
    }
    if (!this.#learn) this.topicCount += 1;
    return this.#skip(16);
  }

  #named(what: 'group' | 'mechanism'): boolean {
    const start = this.#textStart();
    if (start < 0) return start === NULL;
    if (this[what] === '') this[what] = utf8(this.#bytes, start, Math.min(this.#at, start + TEXT_MAXIMUM));
    return true;
  }

  /** Steps over a string. @returns where it began, NULL or BROKEN */
  #textStart(): number {
    const length = this.#stringLength();
    if (length < 0) return length;
    const start = this.#at;
    return this.#skip(length) ? start : BROKEN;
  }

  #stringLength(): number {
    if (this.#flexible) return this.#compactLength();
    if (!this.#has(2)) return BROKEN;
    const length = u16(this.#bytes, this.#at);
    this.#at += 2;
    return length === 0xffff ? NULL : length;
  }

  #length4(): number {
    if (!this.#has(4)) return BROKEN;
    const length = i32(this.#bytes, this.#at);
    this.#at += 4;
    return length === -1 ? NULL : length < 0 ? BROKEN : length;
  }

  #compactLength(): number {
    const length = this.#varint();
    return length < 0 ? BROKEN : length === 0 ? NULL : length - 1;
  }

  #varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (!this.#has(1)) return BROKEN;
      const byte = u8(this.#bytes, this.#at);
      this.#at += 1;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    return BROKEN;
  }

  /** Steps over so many bytes; over none for NULL. */
  #skip(length: number): boolean {
    if (length < 0) return length === NULL;
    if (!this.#has(length)) return false;
    this.#at += length;
    return true;
  }

  #has(length: number): boolean {
    return this.#at + length <= this.#end;
  }
}

function remember(names: TopicNames, id: string, name: string): void {
  names.set(id, name);
  if (names.size <= TOPIC_IDS_MAXIMUM) return;
  for (const oldest of names.keys()) {
    names.delete(oldest);
    return;
  }
}

/** Lengths: of what is absent; of what cannot be. */
const NULL = -1;
const BROKEN = -2;
const NOTHING = new Uint8Array(0);

import { invalid } from './guard.ts';
import { ACKNOWLEDGE_BYTES, ACKNOWLEDGE_MS } from './limits.ts';
import { SendWindow } from './send-window.ts';
import { decodeFrame, encodeFrame, FRAME_KIND } from './session-frame.ts';

/** The way to the other side while a connection lasts. */
export interface FrameLink {
  send(frame: Uint8Array): void;
}

export interface ResumableHandlers {
  /** Bytes of a channel, each exactly once and in order. */
  take(channel: number, bytes: Uint8Array): void;
  /** The other side has taken more of a channel. */
  acknowledged(channel: number): void;
}

/**
 * One end of a session that outlives its connections. On every new link each end first acknowledges how much of each
 * channel it has; what comes after that is sent again, and what comes twice is left out.
 */
export class Resumable {
  readonly #sending: ReadonlyMap<number, SendWindow>;
  readonly #taken: Map<number, number>;
  readonly #reported = new Map<number, number>();
  readonly #handlers: ResumableHandlers;
  /** Channels whose state the other side has acknowledged on this link. */
  readonly #ready = new Set<number>();
  #link: FrameLink | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(sending: readonly number[], receiving: readonly number[], handlers: ResumableHandlers) {
    this.#sending = new Map(sending.map((channel) => [channel, new SendWindow(channel)]));
    this.#taken = new Map(receiving.map((channel) => [channel, 0]));
    this.#handlers = handlers;
  }

  unacknowledged(channel: number): number {
    return this.#sending.get(channel)?.unacknowledged ?? 0;
  }

  /** Send bytes (copied): at once where there is a link, else on the next one. */
  write(channel: number, bytes: Uint8Array): void {
    const frames = this.#sending.get(channel)?.push(bytes) ?? [];
    if (this.#link === undefined || !this.#ready.has(channel)) return;
    for (const frame of frames) this.#link.send(frame);
  }

  /**
   * Go on over a new connection.
   * @param isFirst the other side has nothing yet, so what it has is not waited for
   */
  attach(link: FrameLink, isFirst = false): void {
    this.#link = link;
    this.#ready.clear();
    this.#reported.clear();
    this.acknowledge();
    if (!isFirst) return;
    for (const [channel, window] of this.#sending) {
      this.#ready.add(channel);
      for (const frame of window.again()) link.send(frame);
    }
  }

  /** The connection is gone. */
  detach(): void {
    this.#link = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /**
   * Take a message of the other side.
   * @throws KsnoopError INVALID_MESSAGE when it is invalid, or leaves a hole
   */
  message(message: Uint8Array): void {
    const { kind, channel, offset, payload } = decodeFrame(message);
    if (kind === FRAME_KIND.acknowledge) this.#acknowledged(channel, offset);
    else if (kind === FRAME_KIND.data) this.#data(channel, offset, payload);
    else throw invalid('session frame', `is of an unknown kind: ${kind}`);
  }

  /** Acknowledges to the other side now what has been received. */
  acknowledge(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const [channel, taken] of this.#taken) {
      if (this.#reported.get(channel) === taken) continue;
      this.#reported.set(channel, taken);
      this.#link?.send(encodeFrame(FRAME_KIND.acknowledge, channel, taken));
    }
  }

  #acknowledged(channel: number, offset: number): void {
    const window = this.#sending.get(channel);
    if (window === undefined) throw invalid('acknowledgement', `is of channel ${channel}`);
    window.acknowledge(offset);
    if (!this.#ready.has(channel)) {
      this.#ready.add(channel);
      for (const frame of window.again()) this.#link?.send(frame);
    }
    this.#handlers.acknowledged(channel);
  }

  #data(channel: number, offset: number, payload: Uint8Array): void {
    const taken = this.#taken.get(channel);
    if (taken === undefined) throw invalid('session frame', `is of channel ${channel}`);
    if (offset > taken) throw invalid('session frame', `is at byte ${offset} where ${taken} is next`);
    const fresh = payload.subarray(taken - offset);
    if (fresh.length === 0) return;
    this.#taken.set(channel, taken + fresh.length);
    this.#handlers.take(channel, fresh);
    if (taken + fresh.length - (this.#reported.get(channel) ?? 0) >= ACKNOWLEDGE_BYTES) this.acknowledge();
    else this.#timer ??= setTimeout(() => this.acknowledge(), ACKNOWLEDGE_MS);
  }
}

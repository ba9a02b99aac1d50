import { otherSide, SIDE, type Side } from '../../../record/event.ts';
import { Http2Stream } from '../../http2/stream.ts';
import type { ApplicationContext } from '../application.ts';
import type { QpackDecoder } from './qpack.ts';
import { RequestHalf } from './request-half.ts';

/** A request's stream: the request and its response. */
export class Http3Request {
  readonly exchange: Http2Stream;
  readonly halves: readonly [RequestHalf, RequestHalf];
  /** The server's packet number behind the last one before the request. */
  readonly serverNumber: number;
  /** Bytes that it counts for among what is pending. */
  counted = 0;
  /** Sides that want no more of what the other sends, and why. */
  readonly stopped: [number | undefined, number | undefined] = [undefined, undefined];
  /** When its response ended while the request was not whole, ns. */
  answeredAt: number | undefined;

  /** @param qpack of both directions @param onEnded a side has sent everything */
  constructor(
    context: ApplicationContext,
    qpack: readonly [QpackDecoder, QpackDecoder],
    onEnded: (side: Side) => void,
  ) {
    const { detail, showSecrets, bodies, reserve } = context;
    this.serverNumber = context.serverNumber;
    this.exchange = new Http2Stream(detail, showSecrets, '3');
    const half = (side: Side) =>
      new RequestHalf(
        { detail, bodies, reserve, qpack: qpack[side], onEnded: () => onEnded(side) },
        side,
        this.exchange,
      );
    this.halves = [half(SIDE.client), half(SIDE.server)];
  }

  /** Both sides' times are of different clocks: no latency may be stated. */
  compareClocks(): void {
    const [client, server] = this.halves;
    if (client.clock === undefined || server.clock === undefined || client.clock === server.clock) return;
    this.exchange.response.timeKnown = false;
  }

  /** Who gave the exchange up when `side` stops sending. */
  brokenOffBy(side: Side): Side {
    const other = otherSide(side);
    return this.stopped[other] === undefined ? side : other;
  }

  stop(): void {
    for (const half of this.halves) half.stop();
  }
}

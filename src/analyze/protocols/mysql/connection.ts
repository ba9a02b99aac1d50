import { u8 } from '../../bytes.ts';
import { type Incomplete, SIDE, type Side } from '../../record/event.ts';
import { oneLine } from '../one-line.ts';
import { Pairing } from '../pairing.ts';
import type { StreamAnalyzer, StreamContext, StreamEnd } from '../protocol.ts';
import { protocolLost } from '../protocol-lost.ts';
import { tlsCarrying } from '../tls/index.ts';
import { unfinished } from '../unfinished.ts';
import { type Dialect, MySqlAnswer } from './answer.ts';
import { answerBegins, commandBegins, SEEK_BYTES } from './beginnings.ts';
import { Commands } from './commands.ts';
import { type Command, commandExchange, endedByServer, refusal } from './exchange.ts';
import { type Packet, PacketDirection } from './packet-direction.ts';
import { ANSWER, CAPABILITY, COMMAND, EOF_LENGTH, errorOf, loginOf, PACKET_FULL } from './packets.ts';

/** Bytes kept of a packet of either side: statements, errors. */
const CLIENT_KEEP = 8192;
const SERVER_KEEP = 1024;
/** Places remembered at which the client had received all that it waited for. */
const PLACES_MAXIMUM = 8;
/** Most bytes that are skipped after a gap without an event. */
const SKIPPED_MAXIMUM = 16_384;
/** A packet up to this length may end the answer: it is not known without all its bytes. */
const DECISIVE_BYTES = 512;

/** Commands that no server answers. */
const UNANSWERED = new Set(['QUIT', 'STMT_CLOSE', 'STMT_SEND_LONG_DATA']);
/** Commands that the server answers with events without end. */
const STREAMED = new Set(['BINLOG_DUMP', 'BINLOG_DUMP_GTID']);

const GREETING = 10;
/** Length of an SSLRequest packet: a login without its user. */
const SSL_REQUEST_LENGTH = 32;

const PHASE = { start: 0, greeted: 1, login: 2, open: 3 } as const;

interface Request extends Command {
  /** What it acknowledges of the server's stream; -1 where unknown. */
  readonly acknowledged: number;
  /** Number of the last packet of it. */
  sequence: number;
}

/** An answer under way. */
interface Answering {
  /** Undefined where it was not seen, or is not known. */
  readonly request: Request | undefined;
  readonly incomplete: Incomplete | undefined;
  readonly answer: MySqlAnswer;
  readonly time: number;
  bytes: number;
}

/** One connection. */
export class MySqlConnection implements StreamAnalyzer {
  readonly #context: StreamContext;
  readonly #client: PacketDirection;
  readonly #server: PacketDirection;
  readonly #commands = new Commands();
  readonly #pairing: Pairing<Request>;
  readonly #dialect: Dialect = { deprecateEof: undefined, optionalMetadata: false };
  #phase: number = PHASE.start;
  #next: StreamAnalyzer | undefined;
  #current: Answering | undefined;
  /** The server sends events without end. */
  #streaming = false;
  /** Number of the last packet of the exchange under way; -1 where not known. */
  #sequence = -1;
  /** The last answer's command is not known for sure, nor then where the answer ends: more packets of it may follow. */
  #mayGoOn = false;
  /** By side: the last packet continues in the next. */
  readonly #goesOn: [boolean, boolean] = [false, false];
  /** A request was sent before any byte of the server was seen: answers may be missing before the first one seen. */
  #unknownPlace = false;
  /** Server offset behind the last bytes that were not captured. */
  #lostEnd = 0;
  /** Where the client's next command begins if it waited for the answer; server offsets at which answers may begin. */
  #clientPlace = -1;
  readonly #serverPlaces: number[] = [];
  /** By side: stream offset of the next byte; bytes are missing, and no packet was found since; where bytes are skipped from. */
  readonly #offsets: [number, number];
  readonly #gapBefore: [boolean, boolean] = [false, false];
  readonly #skippedFrom: [number, number] = [-1, -1];
  readonly #announced: [boolean, boolean] = [false, false];

  /** @param greeted the server's greeting has come before: the client's login is next */
  constructor(context: StreamContext, greeted = false) {
    this.#context = context;
    this.#pairing = new Pairing(context);
    if (greeted) this.#phase = PHASE.greeted;
    this.#offsets = [context.beginning(SIDE.client), context.beginning(SIDE.server)];
    this.#client = new PacketDirection({
      keep: CLIENT_KEEP,
      seekBytes: SEEK_BYTES,
      firstSequence: 0,
      begins: (bytes, start, end, offset) => commandBegins(bytes, start, end, offset === this.#clientPlace),
      expects: (offset) => offset === this.#clientPlace,
      onPacket: (packet) => this.#onClient(packet),
      onSkipped: (offset) => this.#skipped(SIDE.client, offset),
      onMissing: (offset, length) => this.#clientMissing(offset, length),
    });
    this.#server = new PacketDirection({
      keep: SERVER_KEEP,
      seekBytes: SEEK_BYTES,
      firstSequence: 1,
      begins: (bytes, start, end, offset) => answerBegins(bytes, start, end, this.#serverPlaces.includes(offset)),
      expects: (offset) => this.#serverPlaces.includes(offset),
      onPacket: (packet) => this.#onServer(packet),
      onSkipped: (offset) => this.#skipped(SIDE.server, offset),
      onMissing: (offset, length) => this.#serverMissing(offset, length),
    });
  }

  data(side: Side, bytes: Uint8Array, start: number, end: number): void {
    if (this.#next !== undefined) {
      this.#next.data(side, bytes, start, end);
      return;
    }
    const { now, timeKnown, offset, acknowledged } = this.#context;
    // What came before the protocol was recognised may have been commands and answers.
    if (offset > this.#offsets[side]) this.gap(side, offset - this.#offsets[side]);
    this.#offsets[side] = offset + (end - start);
    if (side === SIDE.server && this.#unknownPlace) this.#serverMissing(0, 1);
    if (this.#skippedFrom[side] >= 0 && offset - this.#skippedFrom[side] > SKIPPED_MAXIMUM) this.#emitSkipped(side);
    const direction = side === SIDE.client ? this.#client : this.#server;
    // A time that is not known stays unknown in all that is computed from it.
    direction.data(bytes, start, end, timeKnown ? now : Number.NaN, offset, acknowledged);
  }

  gap(side: Side, length: number): void {
    if (this.#next !== undefined) {
      this.#next.gap(side, length);
      return;
    }
    const from = this.#offsets[side];
    this.#offsets[side] += length;
    const direction = side === SIDE.client ? this.#client : this.#server;
    direction.gap(length);
    this.#gapBefore[side] = true;
    if (!direction.lost) return;
    if (side === SIDE.client) this.#clientMissing(from, length);
    else this.#serverMissing(from, length);
  }

  end(how: StreamEnd, by?: Side): void {
    if (this.#next !== undefined) {
      this.#next.end(how, by);
      return;
    }
    const endedBy = how === 'closed' || how === 'reset' ? by : undefined;
    const current = this.#current;
    this.#current = undefined;
    if (current !== undefined) this.#emit(current, undefined, current.incomplete ?? unfinished(how, true), endedBy);
    for (const request of this.#pairing.doubtful()) this.#giveUp(request, 'unknown');
    // Answers that were given to none may be theirs.
    const isUnanswered = this.#pairing.inStep;
    for (const request of this.#pairing.rest()) {
      const isLost = this.#lostEnd > Math.max(0, request.acknowledged);
      // To one that acknowledges all that the server has sent, nothing was sent since.
      const isSilent = this.#offsets[SIDE.server] <= request.acknowledged;
      const why = isUnanswered || isSilent ? unfinished(how, false) : 'unknown';
      this.#giveUp(request, isLost ? 'response not captured' : why, endedBy);
    }
  }

  /** Client bytes that may have been commands were not captured. */
  #clientMissing(offset: number, length: number): void {
    this.#goesOn[SIDE.client] = false;
    this.#phase = PHASE.open;
    this.#commands.missed();
    this.#pairing.clientGap(offset, length);
  }

  /** Server bytes that may have been packets were not captured. */
  #serverMissing(offset: number, length: number): void {
    this.#lostEnd = Math.max(this.#lostEnd, offset + length);
    this.#serverLost(offset, length, 'response not captured');
  }

  /** Server bytes are no packets, or none that can come where they are. */
  #serverLost(offset: number, length: number, incomplete: Incomplete): void {
    this.#unknownPlace = false;
    this.#goesOn[SIDE.server] = false;
    this.#phase = PHASE.open;
    this.#sequence = -1;
    const current = this.#current;
    this.#current = undefined;
    if (current !== undefined) this.#emit(current, undefined, current.incomplete ?? incomplete);
    this.#pairing.serverGap(offset, length);
  }

  #onClient(packet: Packet): void {
    this.#understood(SIDE.client);
    this.#expect(packet.acknowledged);
    this.#expect(packet.lastAcknowledged);
    const { sequence, payload } = packet;
    const goesOn = this.#goesOn[SIDE.client];
    this.#goesOn[SIDE.client] = payload === PACKET_FULL;
    if (this.#phase === PHASE.greeted && sequence > 0) {
      this.#onLogin(packet);
      return;
    }
    // A packet with a number other than 0 continues the command: a file, a long statement, a password's proof.
    if (goesOn || sequence !== 0 || payload === 0) this.#continued(packet, goesOn);
    else this.#onCommand(packet);
  }

  #continued({ sequence, payload, last, whole }: Packet, goesOn: boolean): void {
    const request = goesOn ? this.#pairing.last : (this.#current?.request ?? this.#pairing.first);
    if (this.#current !== undefined && !goesOn) this.#sequence = sequence;
    if (request === undefined) return;
    request.bytes += payload + 4;
    request.end = last;
    request.sequence = sequence;
    request.whole &&= whole;
  }

  #onCommand(packet: Packet): void {
    const { bytes, at, limit } = packet;
    const name = limit > at ? COMMAND[u8(bytes, at)] : undefined;
    if (name === undefined) {
      // Without its first byte it may be any command.
      this.#clientMissing(packet.start, packet.end - packet.start);
      if (limit <= at) return;
      this.#client.seek();
      this.#emitLost(SIDE.client, packet.start, 'no such command', 'resumes at the next statement');
      return;
    }
    this.#phase = PHASE.open;
    this.#streaming = false;
    const contents = this.#commands.read(name, bytes, at + 1, limit);
    if (!packet.whole) this.#commands.missed();
    if (!UNANSWERED.has(name)) this.#await(name, packet, contents);
  }

  #await(name: string, packet: Packet, contents: Pick<Command, 'sql' | 'login'>): void {
    const { start, end, acknowledged, sequence, time, last, payload, whole } = packet;
    const bytes = payload + 4;
    const request: Request = { name, ...contents, time, end: last, bytes, whole, acknowledged, sequence };
    this.#unknownPlace ||= acknowledged < 0 && !this.#context.midstream;
    const isAnswering = this.#current !== undefined;
    const dropped = this.#pairing.push(request, { start, end, acknowledged, isAnswering });
    if (dropped !== undefined) this.#giveUp(dropped, 'unknown');
  }

  #onLogin(packet: Packet): void {
    const { capabilities, user, database } = loginOf(packet.bytes, packet.at, packet.limit);
    this.#commands.capabilities = capabilities;
    if (capabilities & CAPABILITY.ssl && packet.payload === SSL_REQUEST_LENGTH) {
      // The login comes again, inside.
      this.#next = this.#context.become(tlsCarrying((inside) => new MySqlConnection(inside, true)));
      return;
    }
    this.#phase = PHASE.login;
    this.#dialect.deprecateEof = (capabilities & CAPABILITY.deprecateEof) !== 0;
    this.#dialect.optionalMetadata = (capabilities & CAPABILITY.optionalMetadata) !== 0;
    this.#commands.login = { user: oneLine(user), database: oneLine(database) };
    this.#await('CONNECT', packet, { sql: '' });
  }

  #onServer(packet: Packet): void {
    this.#understood(SIDE.server);
    if (packet.lastAcknowledged >= 0) this.#clientPlace = packet.lastAcknowledged;
    if (this.#phase === PHASE.start && this.#greeted(packet)) return;
    if (this.#streaming) return;
    const goesOn = this.#goesOn[SIDE.server];
    this.#goesOn[SIDE.server] = packet.payload === PACKET_FULL;
    if (this.#current === undefined && !this.#begin(packet)) return;
    const current = this.#current;
    if (current === undefined) return;
    if (!this.#isNext(packet)) {
      this.#unexpected(packet);
      return;
    }
    this.#sequence = packet.sequence;
    current.bytes += packet.payload + 4;
    if (goesOn) return;
    const isReadable = packet.whole || (current.answer.inRows && packet.payload > DECISIVE_BYTES);
    if (!isReadable || (packet.limit <= packet.at && packet.payload > 0)) {
      this.#server.seek();
      this.#serverMissing(packet.start, packet.end - packet.start);
      return;
    }
    const ends = current.answer.packet(packet.bytes, packet.at, packet.limit, packet.payload);
    const isStreamed = current.request !== undefined && STREAMED.has(current.request.name);
    if (!ends && !isStreamed) return;
    this.#streaming = isStreamed && current.answer.error === undefined;
    this.#finish(current, packet.last);
  }

  /** The connection's first packet of the server. @returns whether it is a greeting, or what comes instead */
  #greeted({ bytes, at, limit, sequence, last, payload }: Packet): boolean {
    this.#phase = PHASE.open;
    if (sequence !== 0 || limit <= at) return false;
    const first = u8(bytes, at);
    if (first === GREETING) {
      this.#phase = PHASE.greeted;
      return true;
    }
    if (first !== ANSWER.error) return false;
    this.#context.emit(refusal(errorOf(bytes, at, limit), this.#known(last), payload + 4));
    return true;
  }

  /** An answer begins. @returns false where the packet cannot begin one */
  #begin(packet: Packet): boolean {
    const { bytes, at, limit, payload, sequence, start, acknowledged, time } = packet;
    const first = limit > at ? u8(bytes, at) : -1;
    if (first === ANSWER.error && sequence === 0) {
      this.#context.emit(endedByServer(errorOf(bytes, at, limit), this.#known(packet.last)));
      return false;
    }
    // Of a prepared statement, where it was not known whether an EOF follows its columns.
    if (first === ANSWER.end && payload === EOF_LENGTH && sequence > 1 && sequence === ((this.#sequence + 1) & 0xff)) {
      this.#dialect.deprecateEof = false;
      this.#sequence = sequence;
      return false;
    }
    if (this.#isRest(sequence, first)) {
      this.#sequence = sequence;
      return false;
    }
    // A statement longer than max_allowed_packet is refused by its header, while it is still being sent.
    if (first === ANSWER.error && this.#pairing.size === 0) this.#client.refused(acknowledged);
    const found = this.#pairing.answer({ start, acknowledged });
    for (const request of found.skipped) this.#giveUp(request, 'response not captured');
    for (const request of found.unpaired) this.#giveUp(request, 'unknown');
    const request = found.kind === 'paired' ? found.request : undefined;
    const isProven = found.kind === 'paired' && found.proven;
    const incomplete = isProven ? undefined : found.kind === 'request not seen' ? 'request not seen' : 'unknown';
    const answer = new MySqlAnswer(request?.name ?? 'QUERY', this.#dialect);
    this.#current = { request, incomplete, answer, time, bytes: 0 };
    this.#sequence = request === undefined ? (sequence - 1) & 0xff : request.sequence;
    return true;
  }

  /** Whether a packet goes on with an answer that seemed to have ended: rows of a fetch, columns of a prepared statement. */
  #isRest(sequence: number, first: number): boolean {
    if (!this.#mayGoOn || this.#server.isCompressed) return false;
    // Answers begin with number 1; an error is an answer of its own while nothing else can be.
    if (sequence <= 1 || sequence !== ((this.#sequence + 1) & 0xff)) return false;
    return first !== ANSWER.error || this.#pairing.size > 0;
  }

  /** Numbers go on within an exchange; compression has its own. */
  #isNext({ sequence }: Packet): boolean {
    return this.#server.isCompressed || sequence === ((this.#sequence + 1) & 0xff);
  }

  /** The packet is not valid at this point. */
  #unexpected({ start, end, sequence }: Packet): void {
    const wanted = (this.#sequence + 1) & 0xff;
    this.#server.seek();
    this.#serverLost(start, end - start, 'unknown');
    const why = `packet number ${sequence} instead of ${wanted}`;
    this.#emitLost(SIDE.server, start, why, 'resumes at the next answer');
  }

  #finish(current: Answering, last: number): void {
    this.#current = undefined;
    const { request, answer } = current;
    this.#mayGoOn = request === undefined || current.incomplete !== undefined;
    if (request !== undefined && answer.error === undefined) this.#commands.succeeded(request, answer.statement);
    this.#emit(current, last, current.incomplete);
    if (request?.name !== 'CONNECT') return;
    this.#phase = PHASE.open;
    const { capabilities } = this.#commands;
    if (answer.error !== undefined || !(capabilities & (CAPABILITY.compress | CAPABILITY.zstd))) return;
    const compression = capabilities & CAPABILITY.compress ? 'zlib' : 'zstd';
    this.#client.compress(compression);
    this.#server.compress(compression);
  }

  #emit(current: Answering, last: number | undefined, incomplete: Incomplete | undefined, endedBy?: Side): void {
    const { request: command, answer, time, bytes } = current;
    const { now: near, detail, showSecrets } = this.#context;
    const login = this.#commands.login;
    const isEnding = incomplete === 'reset' || incomplete === 'closed early';
    const ended = isEnding ? endedBy : undefined;
    this.#context.emit(
      commandExchange({
        command,
        answer,
        time,
        last,
        bytes,
        incomplete,
        endedBy: ended,
        login,
        near,
        detail,
        showSecrets,
      }),
    );
  }

  /** A command's answer will not come, or is not known. */
  #giveUp(command: Request, incomplete: Incomplete, endedBy?: Side): void {
    const { now: near, detail, showSecrets } = this.#context;
    const login = this.#commands.login;
    const isEnding = incomplete === 'reset' || incomplete === 'no response';
    const nothing = { answer: undefined, time: undefined, last: undefined, bytes: 0 };
    const ended = isEnding ? endedBy : undefined;
    this.#context.emit(
      commandExchange({ command, ...nothing, incomplete, endedBy: ended, login, near, detail, showSecrets }),
    );
  }

  #known(time: number): number {
    return Number.isNaN(time) ? this.#context.now : time;
  }

  /** An answer may begin at the offset that the client had received when it sent a request. */
  #expect(offset: number): void {
    const places = this.#serverPlaces;
    if (offset < 0 || places.at(-1) === offset) return;
    if (places.length >= PLACES_MAXIMUM) places.shift();
    places.push(offset);
  }

  #understood(side: Side): void {
    this.#gapBefore[side] = false;
    this.#skippedFrom[side] = -1;
    this.#announced[side] = false;
  }

  /** Bytes are no packet. After a gap an event is emitted only if many bytes are skipped. */
  #skipped(side: Side, offset: number): void {
    this.#skippedFrom[side] = offset;
    if (this.#gapBefore[side]) return;
    // What these bytes were is not known.
    if (side === SIDE.client) this.#clientMissing(offset, 1);
    else this.#serverLost(offset, 1, 'unknown');
    this.#emitSkipped(side);
  }

  #emitSkipped(side: Side): void {
    const why = this.#gapBefore[side] ? 'bytes before it were not captured' : 'no packet starts there';
    const next = side === SIDE.client ? 'resumes at the next command' : 'resumes at the next answer';
    this.#emitLost(side, this.#skippedFrom[side], why, next);
  }

  #emitLost(side: Side, position: number, why: string, next: string): void {
    if (this.#announced[side]) return;
    this.#announced[side] = true;
    const { now: time } = this.#context;
    this.#context.emit(protocolLost({ protocol: 'mysql', title: 'MySQL', side, position, time, why, next }));
  }
}

import { createClientKey } from '../../ticket/seal.ts';
import { deadlineSignal } from '../../wire/deadline.ts';
import { EXIT, KsnoopError } from '../../wire/errors.ts';
import { isObject, type JsonObject, objectAt, optionalString, parseJson, requireString } from '../../wire/guard.ts';
import { CLAIM_SCHEME, type RecordingPiece, type RecordingState } from '../../wire/recording.ts';
import { call, find } from '../kube/api.ts';
import type { Kube } from '../kube/kube.ts';
import { resourcePath } from '../kube/resource.ts';
import { ADMISSION_MS } from '../limits.ts';
import { type AgentRecordings, type RecordingRequest, recordingsOf } from './agent-recordings.ts';
import { CAPTURE_API, type MadeCapture, ownUser } from './capture-object.ts';
import { type FetchAnswer, type FetchNode, fetchAnswer } from './fetch-answer.ts';
import { RecordingWatch } from './recording-watch.ts';
import { pieceFile, type SentFile, sentFiles, sentPiece } from './sent-files.ts';

/** Files for which URLs are asked at a time (daemonset/captures/crd.yaml). */
const URLS_AT_A_TIME = 50;

/** The destination of files that stay on their nodes. */
const NODE = 'node';

/** Agents of other nodes that are asked for a file on a claim. */
const CLAIM_READERS = 3;

/** How long a new ticket is waited for: the controller makes one about every 15 s. */
const TICKET_MS = 60_000;

/** A file of a recording, wherever it is. */
export interface RecordedFile {
  /** `NODE-AGENT/PIECE`: unique in the recording. */
  readonly name: string;
  readonly node: string;
  readonly sha256: string;
  readonly bytes: number;
  /** Nanoseconds since 1970, not after its first packet; 0 without packets. */
  readonly first: bigint;
  /** Its bytes from one on. May be called again after a failure. */
  readonly open: (from: number, signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>;
}

/** What can be fetched of a recording now. */
export interface FetchableFiles {
  readonly files: readonly RecordedFile[];
  /** What cannot be fetched, sentences. */
  readonly missing: readonly string[];
}

/** A presigned URL that was opened. */
export interface BucketUrl {
  readonly url: string;
  readonly ca: string | undefined;
}

/** Gets an object of a bucket from a byte on. */
export type GetObject = (url: BucketUrl, from: number, signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>;

/**
 * The files of a recording, for whoever may capture in its namespace: the request is in the Capture (spec.fetch), and the controller's
 * answer can be read with the key of this process alone.
 */
export class RecordingFetch {
  readonly #kube: Kube;
  readonly #capture: MadeCapture;
  readonly #user: { readonly name: string; readonly groups: readonly unknown[] };
  readonly #watch: RecordingWatch;
  readonly #key = createClientKey();
  readonly #getObject: GetObject;
  readonly #usedTickets = new Set<string>();
  /** By UID of the agent's pod. */
  readonly #agents = new Map<string, AgentRecordings>();
  /** The object as it was at the beginning. */
  readonly object: JsonObject;

  /**
   * Ask for the files of a recording.
   * @throws KsnoopError NO_SUCH_TARGET (exit 3), USAGE for a live capture, CAPTURE_REFUSED, CONTROLLER_SILENT, and as the API server has it
   */
  static async begin(
    kube: Kube,
    { namespace, name }: { readonly namespace: string; readonly name: string },
    getObject: GetObject,
    signal: AbortSignal,
  ): Promise<RecordingFetch> {
    const object = await find(kube, resourcePath(CAPTURE_API, namespace, 'captures', name), signal);
    if (object === undefined) {
      throw new KsnoopError('NO_SUCH_TARGET', `There is no Capture ${name} in namespace ${namespace}.`, {
        hint: `List them: ksnoop captures -n ${namespace}`,
        exit: EXIT.noTarget,
      });
    }
    if (!isObject(objectAt(object, 'spec').storage)) {
      throw new KsnoopError('USAGE', `Capture ${name} is a live capture, whose packets went to its client.`, {
        hint: 'Recordings are made by: ksnoop record',
        exit: EXIT.usage,
      });
    }
    const uid = requireString(objectAt(object, 'metadata'), 'uid', 'Capture');
    const fetch = new RecordingFetch(kube, { namespace, name, uid }, object, getObject, await ownUser(kube, signal));
    try {
      await fetch.#ask([], signal);
      await fetch.#answered(signal);
      return fetch;
    } catch (thrown) {
      await fetch.close();
      throw thrown;
    }
  }

  private constructor(
    kube: Kube,
    capture: MadeCapture,
    object: JsonObject,
    getObject: GetObject,
    user: { readonly name: string; readonly groups: readonly unknown[] },
  ) {
    this.#kube = kube;
    this.#capture = capture;
    this.object = object;
    this.#getObject = getObject;
    this.#user = user;
    this.#watch = new RecordingWatch(kube, capture);
  }

  /** `status` as it is known now. */
  get status(): JsonObject {
    return this.#watch.status;
  }

  /** The files that are finished now. @throws KsnoopError as the controller refuses */
  async files(signal: AbortSignal): Promise<FetchableFiles> {
    const spec = objectAt(this.object, 'spec');
    return this.#destination === NODE ? this.#onNodes(isObject(spec.trigger), signal) : this.#atDestination(signal);
  }

  /** Withdraw the request. */
  async close(): Promise<void> {
    this.#watch.close();
    for (const agent of this.#agents.values()) agent.close();
    const isOwn = fetchAnswerKey(this.#watch.status) === this.#key.public;
    if (isOwn) await this.#patch(null, deadlineSignal(ADMISSION_MS)).catch(() => {});
  }

  async #onNodes(keptOnly: boolean, signal: AbortSignal): Promise<FetchableFiles> {
    const { nodes } = await this.#answered(signal);
    const files: RecordedFile[] = [];
    const missing: string[] = [];
    await Promise.all(
      nodes.map(async (node) => {
        const agent = this.#agentOf(node);
        try {
          const { pieces } = await this.#stateOf(node, signal);
          for (const piece of pieces) if (piece.kept || !keptOnly) files.push(this.#pieceOf(node, agent, piece));
        } catch (thrown) {
          if (signal.aborted || !(thrown instanceof KsnoopError)) throw thrown;
          missing.push(`Nothing can be fetched from node ${node.node}: ${thrown.message}`);
        }
      }),
    );
    return { files: files.sort(byName), missing };
  }

  #agentOf({ agent }: FetchNode): AgentRecordings {
    const known = this.#agents.get(agent.uid) ?? recordingsOf(this.#kube, agent, 1);
    this.#agents.set(agent.uid, known);
    return known;
  }

  async #stateOf(node: FetchNode, signal: AbortSignal): Promise<RecordingState> {
    await this.#ticketFor(node, signal);
    return this.#agentOf(node).state({ capture: this.#capture.uid, ticket: () => this.#unused(node), signal });
  }

  #pieceOf(node: FetchNode, agent: AgentRecordings, piece: RecordingPiece): RecordedFile {
    let tries = 0;
    return {
      name: pieceFile(node, piece),
      node: node.node,
      sha256: piece.sha256,
      bytes: piece.bytes,
      first: BigInt(piece.first ?? '0'),
      open: async (from, signal) => {
        tries += 1;
        // The connection's ticket may have expired, or its connection have gone.
        if (tries > 1) await this.#ticketFor(node, signal);
        return this.#withTicket(node, signal, (request) => agent.piece(piece.name, from, request));
      },
    };
  }

  /** Ask an agent, and again with a new ticket where it refuses the one that it has. */
  async #withTicket<Answer>(
    node: FetchNode,
    signal: AbortSignal,
    ask: (request: RecordingRequest) => Promise<Answer>,
  ): Promise<Answer> {
    const request = { capture: this.#capture.uid, ticket: () => this.#unused(node), signal };
    try {
      return await ask(request);
    } catch (thrown) {
      if (!(thrown instanceof KsnoopError) || !/^TICKET_/.test(thrown.code)) throw thrown;
      await this.#ticketFor(node, signal);
      return ask(request);
    }
  }

  /**
   * A file on a claim, read by an agent that has the claim mounted: one of the same node first, because a volume may be of one node alone.
   * @throws KsnoopError NO_SUCH_RECORDING where no agent finds it; as the last agent failed that did not answer
   */
  async #onClaim({ name, node }: SentFile, from: number, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const { namespace, name: capture } = this.#capture;
    const [directory = '', piece = ''] = name.split('/');
    const file = { volume: this.#destination, namespace, name: capture, directory, piece };
    const { nodes } = await this.#answered(signal);
    const near = nodes.filter((each) => each.node === node);
    let failure = new KsnoopError(
      'NO_SUCH_RECORDING',
      `No agent that has the claim of ${this.#destination} mounted finds the file.`,
    );
    for (const agent of [...near, ...nodes.filter((each) => each.node !== node).slice(0, CLAIM_READERS)]) {
      try {
        return await this.#withTicket(agent, signal, (request) => this.#agentOf(agent).stored(file, from, request));
      } catch (thrown) {
        if (signal.aborted || !(thrown instanceof KsnoopError)) throw thrown;
        // One that cannot be reached now may have it.
        if (thrown.code !== 'NO_SUCH_RECORDING') failure = thrown;
      }
    }
    throw failure;
  }

  get #destination(): string {
    return optionalString(objectAt(objectAt(this.object, 'spec'), 'storage'), 'destination') ?? NODE;
  }

  async #atDestination(signal: AbortSignal): Promise<FetchableFiles> {
    const read = (object: JsonObject) => sentFiles(objectAt(object, 'status'));
    const { files: named = [], sent = 0, waiting = 0 } = (await this.#watch.until(read, ADMISSION_MS, signal)) ?? {};
    const isClaim = named.some(({ directory }) => directory?.startsWith(CLAIM_SCHEME));
    const missing =
      waiting === 0 ? [] : [`${waiting} finished files are not at the destination ${this.#destination} yet.`];
    const known = new Map(named.map((file) => [file.name, file]));
    // The status names the newest: the agents that sent the others know them, until they forget the recording.
    if (known.size < sent) for (const file of await this.#sentByAgents(signal)) known.set(file.name, file);
    if (known.size < sent) {
      const count = Number.isFinite(sent) ? `${sent - known.size} files` : 'Older files';
      const where = named[0]?.directory ?? 'it';
      missing.push(
        `${count} of the recording may be ${isClaim ? 'on the claim' : 'in the bucket'} that no status and no agent names any more: they are not fetched. They are below ${where}.`,
      );
    }
    const there = [...known.values()];
    return {
      files: there.map((file) => ({
        name: file.name,
        node: file.node,
        sha256: file.sha256,
        bytes: file.bytes,
        first: file.first,
        open: async (from, until) =>
          isClaim
            ? this.#onClaim(file, from, until)
            : this.#getObject(await this.#url(file, there, until), from, until),
      })),
      missing,
    };
  }

  /** Files that agents have sent, as they know them. An agent that does not answer names none. */
  async #sentByAgents(signal: AbortSignal): Promise<SentFile[]> {
    const { nodes } = await this.#answered(signal);
    const sent = await Promise.all(
      nodes.map(async (node): Promise<SentFile[]> => {
        try {
          const { pieces } = await this.#stateOf(node, signal);
          return pieces.filter(({ upload }) => upload?.state === 'done').map((piece) => sentPiece(node, piece));
        } catch (thrown) {
          if (signal.aborted || !(thrown instanceof KsnoopError)) throw thrown;
          return [];
        }
      }),
    );
    return sent.flat();
  }

  /** A URL of a file, asked for together with those that follow it. */
  async #url(file: SentFile, files: readonly SentFile[], signal: AbortSignal): Promise<BucketUrl> {
    const known = fetchAnswer(this.#watch.status)?.urls.some(({ name }) => name === file.name);
    if (known !== true) {
      const at = files.indexOf(file);
      await this.#ask(
        files.slice(at, at + URLS_AT_A_TIME).map(({ name }) => name),
        signal,
      );
    }
    const found = await this.#watch.until(
      (object) => this.#own(objectAt(object, 'status'))?.urls.find(({ name }) => name === file.name),
      ADMISSION_MS,
      signal,
    );
    if (found === undefined) throw silent(this.#capture);
    const text = this.#key.open(Buffer.from(found.sealed, 'base64')).toString('utf8');
    const value = parseJson(text, 'presigned URL');
    if (!isObject(value)) throw new KsnoopError('INVALID_MESSAGE', 'The controller gives no usable URL.');
    return { url: requireString(value, 'url', 'presigned URL', 8192), ca: optionalString(value, 'ca') };
  }

  async #answered(signal: AbortSignal): Promise<FetchAnswer> {
    const answer = await this.#watch.until((object) => this.#own(objectAt(object, 'status')), ADMISSION_MS, signal);
    if (answer === undefined) throw silent(this.#capture);
    return answer;
  }

  /** The answer, where it is for this key. @throws KsnoopError CAPTURE_REFUSED */
  #own(status: JsonObject): FetchAnswer | undefined {
    const answer = fetchAnswer(status);
    if (answer?.key !== this.#key.public) return undefined;
    if (answer.message === undefined) return answer;
    throw new KsnoopError('CAPTURE_REFUSED', `The controller does not give the files: ${answer.message}`);
  }

  #unused({ agent }: FetchNode): string | undefined {
    const answer = fetchAnswer(this.#watch.status);
    if (answer?.key !== this.#key.public) return undefined;
    const found = answer.nodes.find((node) => node.agent.uid === agent.uid && !this.#usedTickets.has(node.sealed));
    if (found === undefined) return undefined;
    this.#usedTickets.add(found.sealed);
    return this.#key.open(Buffer.from(found.sealed, 'base64')).toString('base64url');
  }

  /** Wait until there is a ticket for an agent that was not used. */
  async #ticketFor({ agent }: FetchNode, signal: AbortSignal): Promise<void> {
    const found = await this.#watch.until(
      (object) =>
        this.#own(objectAt(object, 'status'))?.nodes.find(
          (node) => node.agent.uid === agent.uid && !this.#usedTickets.has(node.sealed),
        ),
      TICKET_MS,
      signal,
    );
    if (found !== undefined) return;
    throw new KsnoopError('TICKET_EXPIRED', `The controller gives no new ticket for the agent ${agent.name}.`, {
      hint: 'Another ksnoop get of the same recording may have taken its place.',
    });
  }

  async #ask(files: readonly string[], signal: AbortSignal): Promise<void> {
    const { name, groups } = this.#user;
    await this.#patch(
      {
        key: this.#key.public,
        by: name,
        groups: groups.length > 0 ? groups : null,
        files: files.length > 0 ? files : null,
      },
      signal,
    );
  }

  async #patch(fetch: object | null, signal: AbortSignal): Promise<void> {
    const { namespace, name, uid } = this.#capture;
    await call(this.#kube, {
      method: 'PATCH',
      path: resourcePath(CAPTURE_API, namespace, 'captures', name),
      body: JSON.stringify({ metadata: { uid }, spec: { fetch } }),
      contentType: 'application/merge-patch+json',
      signal,
    });
  }
}

function fetchAnswerKey(status: JsonObject): string | undefined {
  return optionalString(objectAt(status, 'fetch'), 'key');
}

function byName(a: RecordedFile, b: RecordedFile): number {
  return a.name < b.name ? -1 : 1;
}

function silent({ namespace, name }: MadeCapture): KsnoopError {
  const seconds = ADMISSION_MS / 1000;
  return new KsnoopError(
    'CONTROLLER_SILENT',
    `The controller has not answered to the request for the files of Capture ${namespace}/${name} within ${seconds} s.`,
    { hint: 'An administrator sees whether it runs: kubectl -n ksnoop get deployment ksnoop-controller' },
  );
}

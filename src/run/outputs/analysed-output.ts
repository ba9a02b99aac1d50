import type { AnalysisOutputKind } from '../../analyze/engine/output.ts';
import { AnalysisSession } from '../../analyze/engine/session.ts';
import { KeyLog } from '../../analyze/protocols/tls/decrypt/key-log.ts';
import type { InterfaceOrigin } from '../../capture/streams/merge.ts';
import { BLOCK } from '../../wire/pcapng.ts';
import type { NamedAddress } from '../../wire/pcapng-write.ts';
import { analysisNotes } from '../analysis/notes.ts';
import { followKeyLog } from '../keys/follow-key-log.ts';
import { parsePodKeyLog } from '../keys/pod-key-log.ts';
import type { Output, OutputContext, PodKeys } from './output.ts';

/** What a running capture finds, as `ksnoop read` shows it: the merged blocks go into the analysis as they are. */
export class AnalysedOutput implements Output {
  readonly #context: OutputContext;
  readonly #session: AnalysisSession;
  readonly #closed = new AbortController();
  readonly podKeys: PodKeys | undefined;

  constructor(kind: AnalysisOutputKind, context: OutputContext) {
    this.#context = context;
    const { writer, keyLog } = context;
    const keys = new KeyLog();
    const inPods = keyLog === undefined ? undefined : parsePodKeyLog(keyLog);
    this.podKeys = inPods && { file: inPods, keys };
    if (inPods !== undefined) keys.growing = true;
    else if (keyLog !== undefined) void followKeyLog(keyLog, keys, this.#closed.signal);
    this.#session = new AnalysisSession(kind, {
      line: (text) => {
        const bytes = Buffer.from(`${text}\n`, 'utf8');
        writer.push(bytes, 0, bytes.length);
      },
      colour: context.colour,
      align: context.width !== undefined,
      width: context.width,
      json: context.json,
      live: true,
      utc: context.utc,
      verbose: context.verbose,
      argument: context.argument,
      command: context.command,
      paths: context.paths,
      keyLog,
      about: context.about,
      where: context.where,
      choice: undefined,
      showSecrets: context.showSecrets,
      keys,
    });
  }

  get pending(): number {
    return this.#context.writer.pending;
  }

  get omitted(): string | undefined {
    return analysisNotes(this.#session).join('\n') || undefined;
  }

  get ended(): boolean {
    return this.#context.writer.end !== undefined;
  }

  flush(): void {
    this.#context.writer.flush();
  }

  addNames(records: readonly NamedAddress[]): void {
    this.#session.addNames(records);
  }

  addInterface(id: number, bytes: Uint8Array, offset: number, length: number, origin: InterfaceOrigin): void {
    this.#session.capture.found.described(origin.stream, origin.index, id);
    this.#session.capture.framer.pushBlock(BLOCK.interfaceDescription, bytes, offset, length);
  }

  write(type: number, _id: number, bytes: Uint8Array, offset: number, length: number): void {
    this.#session.capture.framer.pushBlock(type, bytes, offset, length);
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#session.end();
    await this.#session.waiting;
    await this.#context.writer.drained();
  }
}

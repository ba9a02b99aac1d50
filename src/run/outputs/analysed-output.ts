import type { AnalysisOutputKind } from '../../analyze/engine/output.ts';
import { AnalysisSession } from '../../analyze/engine/session.ts';
import type { InterfaceOrigin } from '../../capture/streams/merge.ts';
import { sampleNote } from '../../view/sample-text.ts';
import { BLOCK } from '../../wire/pcapng.ts';
import type { NamedAddress } from '../../wire/pcapng-write.ts';
import { analysisNotes } from '../analysis/notes.ts';
import { LiveKeyLog } from '../keys/live-key-log.ts';
import type { Output, OutputContext, PodKeys } from './output.ts';
import { SecretsGate } from './secrets-gate.ts';

/**
 * What a running capture finds, as `ksnoop read` shows it: the merged blocks go into the analysis as they are. With a key log a TLS
 * connection's hellos wait until its secrets are there: a short one is over before the program's key log was looked at.
 */
export class AnalysedOutput implements Output {
  readonly #context: OutputContext;
  readonly #session: AnalysisSession;
  readonly #keyLog: LiveKeyLog;
  readonly podKeys: PodKeys | undefined;
  onNote: ((sentence: string) => void) | undefined;
  /** Undefined without a key log. */
  readonly #gate: SecretsGate | undefined;

  /** @param now the monotonic clock, ms */
  constructor(kind: AnalysisOutputKind, context: OutputContext, now: () => number = () => performance.now()) {
    this.#context = context;
    const { writer, keyLog } = context;
    this.#keyLog = new LiveKeyLog(keyLog);
    const { inPods, keys } = this.#keyLog;
    this.podKeys = inPods && { file: inPods, keys: [keys] };
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
    this.#session.capture.found.onSample = (...change) => this.onNote?.(sampleNote(...change));
    const behind = {
      write: (...[type, , bytes, offset, length]: Parameters<Output['write']>) =>
        this.#session.capture.framer.pushBlock(type, bytes, offset, length),
      isEnded: () => this.ended,
    };
    if (keyLog !== undefined) this.#gate = new SecretsGate(this.#keyLog, behind, now);
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
    this.#gate?.flush();
    this.#context.writer.flush();
  }

  addNames(records: readonly NamedAddress[]): void {
    this.#session.addNames(records);
  }

  addInterface(id: number, bytes: Uint8Array, offset: number, length: number, origin: InterfaceOrigin): void {
    this.#gate?.addInterface(id, bytes, offset);
    this.#session.capture.found.described(origin.stream, origin.index, id);
    this.#session.capture.framer.pushBlock(BLOCK.interfaceDescription, bytes, offset, length);
  }

  write(type: number, id: number, bytes: Uint8Array, offset: number, length: number): void {
    if (this.#gate !== undefined) this.#gate.write(type, id, bytes, offset, length);
    else this.#session.capture.framer.pushBlock(type, bytes, offset, length);
  }

  async close(): Promise<void> {
    await this.#keyLog.close();
    this.#gate?.open();
    this.#session.end();
    await this.#session.waiting;
    await this.#context.writer.drained();
  }
}

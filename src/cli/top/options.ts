import { statSync } from 'node:fs';
import type { CaptureConfig } from '../../run/capture/config.ts';
import { TOP_VIEW_NAMES } from '../../view/top/index.ts';
import { EXIT, KsnoopError } from '../../wire/errors.ts';
import { completeEdge } from '../capture/edge-option.ts';
import { checkTargets, completePackets, type RawPacketOptions } from '../capture/options.ts';
import { isCaptureName } from '../capture-files.ts';
import { checkLiveKeyLog } from '../live-key-log.ts';
import { usage } from '../usage.ts';

/** The view to begin with: there are findings only once something is wrong. */
const DEFAULT_VIEW = 'services';

/** What commander hands over for `ksnoop top`: what chooses and captures targets, and what is the screen's own. */
export interface RawTopOptions extends RawPacketOptions {
  readonly view?: string;
  readonly where?: string;
  readonly showSecrets?: boolean;
  readonly keylog?: string;
  readonly edge?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

export interface TopConfig {
  /** A capture file, `-` for stdin; undefined: targets. */
  readonly file: string | undefined;
  readonly targets: readonly string[];
  readonly view: string;
  readonly where: string | undefined;
  /** Of a file: in the language of pcap-filter(7). */
  readonly filter: string | undefined;
  readonly showSecrets: boolean;
  /** A file with secrets of TLS connections; while capturing it may grow. */
  readonly keyLog: string | undefined;
}

/** What `ksnoop top TARGET…` captures, and how much it prints besides the screen. */
export interface TopCapture {
  readonly capture: CaptureConfig;
  /** The packets are analysed on their nodes. */
  readonly edge: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  /** Whether the user can be asked for targets. */
  readonly canAsk: boolean;
}

/** @throws KsnoopError USAGE (exit 2) */
export function completeTopCapture(targets: readonly string[], raw: RawTopOptions, canAsk: boolean): TopCapture {
  const capture = completePackets(targets, raw);
  if (!(canAsk && !capture.local)) checkTargets(capture);
  return {
    capture,
    edge: completeEdge(raw, 'text', capture),
    quiet: raw.quiet === true,
    verbose: raw.verbose === true,
    canAsk,
  };
}

/**
 * Complete and validate what the user typed.
 * @throws KsnoopError USAGE and NO_FILE (exit 2)
 */
export function completeTop(words: readonly string[], raw: RawTopOptions): TopConfig {
  const view = raw.view ?? DEFAULT_VIEW;
  if (!TOP_VIEW_NAMES.includes(view))
    throw usage(`There is no view "${view}".`, `There are: ${TOP_VIEW_NAMES.join(', ')}.`);
  const [first] = words;
  if (raw.filter === '') throw usage('-f takes a filter in the language of pcap-filter(7), not nothing.');
  checkLiveKeyLog(raw.keylog, raw.local === true);
  const file = words.length === 1 && first !== undefined && isFile(first) ? first : undefined;
  if (words.length > 1 && words.includes('-')) throw usage('- is stdin, and nothing goes with it.');
  if (file !== undefined && raw.edge === true) throw usage('--edge is about a capture: a file has its packets here.');
  return {
    file,
    targets: file === undefined ? words : [],
    view,
    where: raw.where,
    filter: raw.filter,
    showSecrets: raw.showSecrets === true,
    keyLog: raw.keylog,
  };
}

function isFile(word: string): boolean {
  if (word === '-') return true;
  const stat = statSync(word, { throwIfNoEntry: false });
  if (stat?.isFile() === true || stat?.isFIFO() === true) return true;
  if (isCaptureName(word)) {
    throw new KsnoopError('NO_FILE', `There is no file ${word}.`, {
      hint: 'ksnoop top FILE looks at a capture file, ksnoop top KIND/NAME at what happens now.',
      exit: EXIT.usage,
    });
  }
  return false;
}

/** Who draws, and on what. */
export interface TopTerminal {
  readonly stdout: boolean;
  readonly environment: NodeJS.ProcessEnv;
}

/** @throws KsnoopError USAGE where nothing can be drawn */
export function checkTerminal({ stdout, environment }: TopTerminal): void {
  const hint = 'For a file or a pipe: -o summary, or -o json for programs, of ksnoop read FILE or ksnoop TARGET.';
  if (!stdout) throw usage('ksnoop top needs a terminal, and stdout is not a terminal.', hint);
  if (environment.TERM === 'dumb') throw usage('ksnoop top cannot draw on a dumb terminal (TERM=dumb).', hint);
}

/** Whether the terminal takes UTF-8, by its locale (POSIX, "Locale": LC_ALL goes before LC_CTYPE before LANG). */
export function takesUtf8({ LC_ALL, LC_CTYPE, LANG }: NodeJS.ProcessEnv): boolean {
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '');
}

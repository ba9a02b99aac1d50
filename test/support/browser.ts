import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { ensurePackages } from './packages.ts';

const PROGRAM = '/usr/bin/chromium-headless-shell';
/** It bounds a hang. */
const PATIENCE_MS = 120_000;

/** A page of a headless Chromium, driven by the DevTools protocol. */
export class Browser {
  readonly #process: ChildProcess;
  readonly #directory: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  #session = '';
  #next = 0;

  private constructor(process: ChildProcess, directory: string, socket: WebSocket) {
    this.#process = process;
    this.#directory = directory;
    this.#socket = socket;
    socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as { id?: number; result?: unknown; error?: unknown };
      if (message.id !== undefined) this.#waiting.get(message.id)?.(message.result ?? message.error);
    });
  }

  /** Start one. @returns why there is none on this machine, as a sentence, where it cannot be installed or does not start */
  static async start(): Promise<Browser | string> {
    const missing = ensurePackages(['chromium-headless-shell']);
    if (missing !== undefined) return missing;
    const directory = mkdtempSync(join(tmpdir(), 'ksnoop-browser-'));
    const flags = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--remote-debugging-port=0'];
    const process = spawn(PROGRAM, [...flags, `--user-data-dir=${directory}`, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'pipe'],
      // The program is a script that starts the browser: both are one group, which ends as one.
      detached: true,
    });
    const address = await new Promise<string | undefined>((done) => {
      let text = '';
      const timer = setTimeout(() => done(undefined), PATIENCE_MS);
      const end = (found: string | undefined) => {
        clearTimeout(timer);
        done(found);
      };
      process.stderr?.on('data', (chunk) => {
        text += String(chunk);
        const found = /ws:\/\/\S+/.exec(text)?.[0];
        if (found !== undefined) end(found);
      });
      process.on('exit', () => end(undefined));
      process.on('error', () => end(undefined));
    });
    if (address === undefined) {
      killGroup(process);
      rmSync(directory, { recursive: true, force: true });
      return `${PROGRAM} does not start here`;
    }
    const socket = new WebSocket(address);
    await new Promise((done, failed) => socket.once('open', done).once('error', failed));
    const browser = new Browser(process, directory, socket);
    const { targetId } = (await browser.#send('Target.createTarget', { url: 'about:blank' })) as { targetId: string };
    const attached = await browser.#send('Target.attachToTarget', { targetId, flatten: true });
    browser.#session = (attached as { sessionId: string }).sessionId;
    await browser.#send('Page.enable', {});
    return browser;
  }

  /** Open a page in a window of this size, and wait until it is loaded. */
  async open(url: string, width: number, height = 900): Promise<void> {
    await this.#send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false });
    // Another page between: the same address again is then known to be loaded anew.
    for (const next of ['about:blank', url]) {
      await this.#send('Page.navigate', { url: next });
      const isThere = `location.href === ${JSON.stringify(next)} && document.readyState === 'complete'`;
      const until = performance.now() + PATIENCE_MS;
      while ((await this.#state(isThere)) !== true) {
        if (performance.now() > until) throw new Error(`the browser did not open ${next}`);
        await new Promise((done) => setTimeout(done, 20));
      }
    }
  }

  /** As `value`; undefined while the page is being exchanged. */
  async #state(expression: string): Promise<unknown> {
    const answer = await this.#send('Runtime.evaluate', { expression, returnByValue: true });
    return (answer as { result?: { value?: unknown } }).result?.value;
  }

  /** The value of an expression in the page, or what a promise of it becomes. */
  async value<Value>(expression: string): Promise<Value> {
    const answer = (await this.#send('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true })) as {
      result?: { value?: unknown };
      exceptionDetails?: unknown;
    };
    if (answer.exceptionDetails !== undefined) throw new Error(JSON.stringify(answer.exceptionDetails));
    return answer.result?.value as Value;
  }

  /** The page in light or dark colours. */
  async colours(scheme: 'light' | 'dark'): Promise<void> {
    await this.#send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
  }

  /** The page as on a screen, or as it is printed. */
  async media(media: 'screen' | 'print'): Promise<void> {
    await this.#send('Emulation.setEmulatedMedia', { media });
  }

  /** Whether scripts of pages run; `value` works without as well. For pages opened from now on. */
  async scripts(run: boolean): Promise<void> {
    await this.#send('Emulation.setScriptExecutionDisabled', { value: !run });
  }

  /** A key pressed and released, in the element that has the focus. */
  async key(name: 'Enter' | 'Tab'): Promise<void> {
    const code = name === 'Enter' ? 13 : 9;
    const key = { key: name, code: name, windowsVirtualKeyCode: code, nativeVirtualKeyCode: code };
    await this.#send('Input.dispatchKeyEvent', {
      type: 'keyDown',
      ...key,
      ...(name === 'Enter' ? { text: '\r' } : {}),
    });
    await this.#send('Input.dispatchKeyEvent', { type: 'keyUp', ...key });
  }

  /** What the window shows, a PNG; `whole` also what is below it. */
  async picture(whole = false): Promise<Buffer> {
    const shot = await this.#send('Page.captureScreenshot', { format: 'png', captureBeyondViewport: whole });
    return Buffer.from((shot as { data: string }).data, 'base64');
  }

  async close(): Promise<void> {
    const ended = new Promise((done) => this.#process.once('exit', done));
    this.#socket.terminate();
    killGroup(this.#process);
    await ended;
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 10 });
  }

  #send(method: string, params: object): Promise<unknown> {
    this.#next += 1;
    const id = this.#next;
    const session = this.#session === '' ? {} : { sessionId: this.#session };
    this.#socket.send(JSON.stringify({ id, method, params, ...session }));
    return new Promise((done) => this.#waiting.set(id, done));
  }
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

// A real Prometheus and its promtool, built from their Go module.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { goProgram } from './go-program.ts';

const COMMANDS = 'github.com/prometheus/prometheus/cmd';
/** Without the clients of clouds that service discovery needs. */
const FLAGS = ['-tags', 'remove_all_sd'] as const;
const READY = { timeout: 120_000, interval: 200 };

/** A Prometheus on loopback that scrapes one target every second and takes OTLP. */
export class PrometheusServer {
  readonly url: string;
  readonly #process: ChildProcess;

  private constructor(url: string, process: ChildProcess) {
    this.url = url;
    this.#process = process;
  }

  /**
   * @param directory where it keeps its configuration and its data
   * @param scraped port on loopback
   */
  static async start(directory: string, scraped: number): Promise<PrometheusServer> {
    const program = await goProgram('prometheus', `${COMMANDS}/prometheus`, ...FLAGS);
    const port = await freePort();
    const config = join(directory, 'prometheus.yml');
    writeFileSync(
      config,
      `storage: { tsdb: { out_of_order_time_window: 36500d } }
scrape_configs:
  - { job_name: ksnoop, scrape_interval: 1s, honor_labels: true, static_configs: [{ targets: ["127.0.0.1:${scraped}"] }] }
`,
    );
    const words = [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--web.enable-otlp-receiver',
      '--storage.tsdb.retention.time=100y',
    ];
    const server = new PrometheusServer(
      `http://127.0.0.1:${port}`,
      spawn(program, words, { cwd: directory, stdio: 'ignore' }),
    );
    try {
      await vi.waitFor(async () => expect((await fetch(`${server.url}/-/ready`)).status).toBe(200), READY);
    } catch (thrown) {
      server.kill();
      throw thrown;
    }
    return server;
  }

  /** @param time s since 1970 @returns the first series' value; NaN where there is none */
  async value(query: string, time: number): Promise<number> {
    const asked = await fetch(`${this.url}/api/v1/query?${new URLSearchParams({ query, time: String(time) })}`);
    const { data } = (await asked.json()) as { data: { result: { value: [number, string] }[] } };
    return Number(data.result[0]?.value[1]);
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }
}

/** What promtool prints (both streams), and its exit code. @param input its stdin */
export async function promtool(words: readonly string[], input = ''): Promise<{ code: number; output: string }> {
  const program = await goProgram('prometheus', `${COMMANDS}/promtool`, ...FLAGS);
  return new Promise((resolve) => {
    const child = execFile(program, words, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), output: stdout + stderr });
    });
    child.stdin?.end(input);
  });
}

/** A port of loopback that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

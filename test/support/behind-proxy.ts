import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestCluster } from './cluster.ts';
import { CuttingProxy } from './cutting-proxy.ts';

export interface BehindProxy {
  /** The path of a kubeconfig whose API server is reached through `proxy`. */
  readonly kubeconfig: string;
  readonly proxy: CuttingProxy;
  /** Closes the proxy and removes the kubeconfig. */
  close(): void;
}

/** A kubeconfig of our own cluster that leads through a proxy which can be cut. */
export async function behindProxy(on: TestCluster): Promise<BehindProxy> {
  const text = readFileSync(on.kubeconfig, 'utf8');
  const port = Number(/"?server"?: "?https:\/\/127\.0\.0\.1:(\d+)/.exec(text)?.[1]);
  const proxy = new CuttingProxy(port);
  const directory = mkdtempSync(join(tmpdir(), 'ksnoop-proxy-'));
  const kubeconfig = join(directory, 'kubeconfig');
  const through = text.replace(`127.0.0.1:${port}`, `127.0.0.1:${await proxy.listen()}`);
  writeFileSync(kubeconfig, through, { mode: 0o600 });
  return {
    kubeconfig,
    proxy,
    close() {
      proxy.close();
      rmSync(directory, { recursive: true });
    },
  };
}

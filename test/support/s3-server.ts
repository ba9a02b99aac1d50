import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuilt, program } from '../cluster/builds.ts';
import type { Issued } from './certificates.ts';

/** A real server that speaks S3 (versitygw), with one bucket, `captures`. */
export interface S3Server {
  readonly port: number;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Where the objects of the bucket are. */
  readonly directory: string;
  close(): Promise<void>;
}

/** @param address where it listens @param tls its certificate and key, for https */
export async function startS3(address = '127.0.0.1', tls?: Issued): Promise<S3Server> {
  await ensureBuilt(['versitygw']);
  const root = mkdtempSync(join(tmpdir(), 'ksnoop-s3-'));
  const directory = join(root, 'captures');
  mkdirSync(directory);
  const [accessKeyId, secretAccessKey] = ['AKTEST', 'secret/of+tests'];
  const port = await freePort(address);
  const files = {
    certificate: join(root, '..', `${basename(root)}.crt`),
    key: join(root, '..', `${basename(root)}.key`),
  };
  if (tls !== undefined) {
    writeFileSync(files.certificate, tls.certificate);
    writeFileSync(files.key, tls.key, { mode: 0o600 });
  }
  const secured = tls === undefined ? [] : ['--cert', files.certificate, '--key', files.key];
  const child = spawn(
    program('versitygw'),
    [
      '--access',
      accessKeyId,
      '--secret',
      secretAccessKey,
      '--port',
      `${address}:${port}`,
      ...secured,
      'posix',
      '--nometa',
      root,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  for (;;) {
    if (child.exitCode !== null) throw new Error(`versitygw ended: ${said}`);
    if (await answers(address, port)) break;
    await sleep(50);
  }
  return {
    port,
    accessKeyId,
    secretAccessKey,
    directory,
    async close() {
      if (child.exitCode === null && child.kill()) await once(child, 'exit');
      for (const path of [root, files.certificate, files.key]) rmSync(path, { recursive: true, force: true });
    },
  };
}

async function freePort(address: string): Promise<number> {
  const server = createServer().listen(0, address);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function answers(address: string, port: number): Promise<boolean> {
  const socket = connect(port, address);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

import { createReadStream } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { Backoff } from '../../wire/backoff.ts';
import { messageOf } from '../../wire/errors.ts';
import type { RecordingUpload } from '../../wire/recording.ts';
import { UPLOAD_MS, UPLOAD_SILENCE_MS, UPLOAD_TRIES } from '../limits.ts';

/** What an upload was answered. */
interface Answer {
  readonly status: number;
  readonly etag: string | undefined;
}

/**
 * Send a file by PUT. It goes to the host of the URL and nowhere else: no redirect is followed. What may pass (no connection, an
 * overloaded server) is tried again.
 * @param bytes the file's length
 * @returns the ETag of the answer
 * @throws Error saying why it was not taken
 */
export async function putFile(
  path: string,
  bytes: number,
  upload: RecordingUpload,
  signal: AbortSignal,
): Promise<string | undefined> {
  const backoff = new Backoff(1_000, 15_000, Math.random);
  for (let attempt = 1; ; attempt += 1) {
    const isLast = attempt >= UPLOAD_TRIES;
    try {
      const { status, etag } = await put(path, bytes, upload, signal);
      if (status >= 200 && status < 300) return etag;
      const passes = status >= 500 || status === 429 || status === 408;
      if (isLast || !passes) throw new Refused(`${hostOf(upload)} answers with the status ${status}`);
    } catch (thrown) {
      if (isLast || thrown instanceof Refused || signal.aborted) {
        throw thrown instanceof Refused ? thrown : new Error(`${hostOf(upload)} takes nothing: ${messageOf(thrown)}`);
      }
    }
    await sleep(backoff.next(), undefined, { signal });
  }
}

class Refused extends Error {}

function hostOf({ url }: RecordingUpload): string {
  return new URL(url).host;
}

function put(path: string, bytes: number, { url, headers, ca }: RecordingUpload, signal: AbortSignal): Promise<Answer> {
  const { protocol } = new URL(url);
  const within = AbortSignal.any([signal, AbortSignal.timeout(UPLOAD_MS)]);
  return new Promise((resolve, reject) => {
    const options = {
      method: 'PUT',
      headers: { ...headers, 'content-length': bytes },
      signal: within,
      timeout: UPLOAD_SILENCE_MS,
      agent: false,
      ...(ca !== undefined && { ca }),
    } as const;
    const request = (protocol === 'https:' ? httpsRequest : httpRequest)(url, options, (response: IncomingMessage) => {
      const etag = response.headers.etag?.slice(0, 256);
      resolve({ status: response.statusCode ?? 0, etag });
      // Its body is of no interest, and may be long; of a file that is refused the rest is not read.
      response.destroy();
      file.destroy();
    });
    const file = createReadStream(path, { end: Math.max(0, bytes - 1) });
    const fail = (error: Error) => {
      file.destroy();
      request.destroy();
      reject(error);
    };
    request.on('timeout', () => fail(new Error('no answer in time')));
    request.on('error', fail);
    file.on('error', fail);
    file.pipe(request);
  });
}

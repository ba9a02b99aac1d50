import type { IncomingMessage } from 'node:http';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { BucketUrl } from '../../capture/tenant/fetch-recording.ts';
import { KsnoopError, messageOf } from '../../wire/errors.ts';

/** How long a bucket may take to answer, milliseconds. */
const ANSWER_MS = 30_000;

/**
 * Get an object of a bucket with a presigned URL. No redirect is followed.
 * @param from the first byte that is wanted
 * @throws KsnoopError UNREACHABLE, API_ERROR with the bucket's status
 */
export async function getObject(
  { url, ca }: BucketUrl,
  from: number,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const target = new URL(url);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = target.protocol === 'http:' ? httpRequest : httpsRequest;
    const headers = from === 0 ? {} : { range: `bytes=${from}-` };
    const outgoing = request(target, { headers, signal, ...(ca !== undefined && { ca }) }, resolve);
    outgoing.setTimeout(ANSWER_MS, () => outgoing.destroy(new Error(`no answer within ${ANSWER_MS / 1000} s`)));
    outgoing.on('error', (cause) => {
      const message = `The bucket at ${target.host} cannot be reached: ${messageOf(cause)}.`;
      reject(new KsnoopError('UNREACHABLE', message, { cause }));
    });
    outgoing.end();
  });
  const status = response.statusCode ?? 0;
  if (status === 206 || (status === 200 && from === 0)) return response;
  response.destroy();
  throw new KsnoopError('API_ERROR', `The bucket at ${target.host} answers with status ${status}.`);
}

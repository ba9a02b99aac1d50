import { createHash } from 'node:crypto';
import { EXIT, KsnoopError } from '../../wire/errors.ts';
import { ImageArchive, type ImageManifest } from './archive.ts';
import type { RegistryCredentials } from './credentials.ts';
import type { ImageReference } from './reference.ts';
import { Registry } from './registry.ts';

const INDEX = 'application/vnd.oci.image.index.v1+json';

export interface PushOptions {
  readonly reference: ImageReference;
  /** Image archives: one for each architecture, or some with several. */
  readonly archives: readonly string[];
  readonly credentials: RegistryCredentials | undefined;
  readonly signal: AbortSignal;
}

/** What was pushed. */
export interface PushedImage {
  /** sha256 of the index: the same archives have the same. */
  readonly digest: string;
  /** `linux/amd64` */
  readonly platforms: readonly string[];
  /** Blobs that were sent; others were in the registry already. */
  readonly sent: number;
}

/**
 * Push archives as one image with an index of their platforms.
 * @param progress receives a line for each blob that is sent
 * @throws KsnoopError BAD_IMAGE_ARCHIVE (exit 2), REGISTRY_UNREACHABLE, REGISTRY_REFUSED
 */
export async function pushImage(options: PushOptions, progress: (line: string) => void): Promise<PushedImage> {
  const { reference, archives, credentials, signal } = options;
  const found: { archive: ImageArchive; manifest: ImageManifest }[] = [];
  for (const path of archives) {
    const archive = await ImageArchive.open(path);
    for (const manifest of await archive.manifests()) found.push({ archive, manifest });
  }
  const platforms = found.map(({ manifest }) => `${manifest.platform.os}/${manifest.platform.architecture}`);
  checkPlatforms(platforms);
  const registry = new Registry(reference, credentials, signal);
  let sent = 0;
  for (const { archive, manifest } of found) {
    for (const digest of new Set(manifest.blobs)) {
      const blob = archive.blob(digest);
      if (!(await registry.putBlob(digest, blob))) continue;
      sent += 1;
      progress(`sent ${digest.slice(0, 19)}, ${(blob.size / 1e6).toFixed(1)} MB`);
    }
    await registry.putManifest(manifest.digest, Buffer.from(manifest.bytes), manifest.mediaType);
  }
  const index = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: INDEX,
      manifests: found.map(({ manifest: { mediaType, digest, bytes, platform } }) => ({
        mediaType,
        digest,
        size: bytes.length,
        platform,
      })),
    }),
  );
  await registry.putManifest(reference.tag, index, INDEX);
  return { digest: `sha256:${createHash('sha256').update(index).digest('hex')}`, platforms, sent };
}

function checkPlatforms(platforms: readonly string[]): void {
  const twice = platforms.find((platform, index) => platforms.indexOf(platform) !== index);
  if (twice === undefined) return;
  throw new KsnoopError('BAD_IMAGE_ARCHIVE', `Two of the archives are for ${twice}.`, {
    hint: 'Name one archive for each architecture.',
    exit: EXIT.usage,
  });
}

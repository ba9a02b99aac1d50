import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/**
 * An OCI image of one static program, as an archive that `ctr images import` reads: no registry and no container engine
 * is asked. One layer, uncompressed, named by its own digest (two imports that share a layer name lock each other out).
 */
export function binaryImage(image: { name: string; program: string; path: string }): Buffer {
  const layer = Buffer.concat([tarEntry(image.path, readFileSync(image.program), 0o755), tarEnd]);
  const config = json({
    architecture: goArchitecture,
    os: 'linux',
    config: { Entrypoint: [`/${image.path}`] },
    rootfs: { type: 'layers', diff_ids: [digest(layer)] },
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: described('application/vnd.oci.image.config.v1+json', config),
    layers: [described('application/vnd.oci.image.layer.v1.tar', layer)],
  });
  const index = json({
    schemaVersion: 2,
    manifests: [
      {
        ...described('application/vnd.oci.image.manifest.v1+json', manifest),
        annotations: { 'io.containerd.image.name': image.name },
      },
    ],
  });
  return Buffer.concat([
    tarEntry('oci-layout', json({ imageLayoutVersion: '1.0.0' }), 0o644),
    tarEntry('index.json', index, 0o644),
    ...[layer, config, manifest].map((blob) => tarEntry(`blobs/sha256/${digest(blob).slice(7)}`, blob, 0o644)),
    tarEnd,
  ]);
}

const goArchitecture = process.arch === 'x64' ? 'amd64' : process.arch;
const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const digest = (blob: Buffer) => `sha256:${createHash('sha256').update(blob).digest('hex')}`;
const described = (mediaType: string, blob: Buffer) => ({ mediaType, digest: digest(blob), size: blob.length });

const BLOCK = 512;
/** Two blocks of zeros end a tar archive (POSIX.1-1988 ustar). */
const tarEnd = Buffer.alloc(2 * BLOCK);

function tarEntry(path: string, content: Buffer, mode: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, offset: number, length: number) =>
    header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, offset);
  header.write(path, 0, 100);
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(content.length, 124, 12);
  octal(0, 136, 12);
  header.write('        0', 148);
  header.write('ustar\x0000', 257);
  octal(
    header.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  return Buffer.concat([header, content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)]);
}

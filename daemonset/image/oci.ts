import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

/** What runs in a container of the image, and as whom (OCI image-spec, config.md). */
export interface ImageConfig {
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly workingDir?: string;
}

export interface ImageRequest extends ImageConfig {
  /** What it is called: `ksnoop-agent:0.1.0`. */
  readonly tag: string;
  readonly architecture: 'amd64' | 'arm64';
  /** Directories whose contents become the layers, lowest first. */
  readonly layers: readonly string[];
  /** Where the archive goes. */
  readonly output: string;
}

export interface ImageArchive {
  readonly path: string;
  readonly bytes: number;
  /** sha256 of the manifest: what a registry would call it by. */
  readonly digest: string;
}

/**
 * Write an image archive that containerd (`ctr images import`), docker and podman (`load`), kind and minikube read: an
 * OCI layout with docker's manifest.json beside it. The same directories give the same bytes.
 */
export async function writeImageArchive(request: ImageRequest): Promise<ImageArchive> {
  const directory = await mkdtemp(join(tmpdir(), 'ksnoop-image-'));
  try {
    const blobs = join(directory, 'blobs', 'sha256');
    await mkdir(blobs, { recursive: true });
    const layers = [];
    for (const root of request.layers) layers.push(await writeLayer(root, blobs));
    const config = await writeJson(
      blobs,
      imageConfig(
        request,
        layers.map(({ diffId }) => diffId),
      ),
    );
    const manifest = await writeJson(blobs, {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
      layers: layers.map(({ digest, size }) => ({
        mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
        digest,
        size,
      })),
    });
    // A name without a registry is docker.io/library/NAME to containerd and the kubelet.
    const name = request.tag.includes('/') ? request.tag : `docker.io/library/${request.tag}`;
    const index = {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [
        {
          mediaType: 'application/vnd.oci.image.manifest.v1+json',
          ...manifest,
          platform: { os: 'linux', architecture: request.architecture },
          annotations: { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': request.tag },
        },
      ],
    };
    const path = (digest: string) => `blobs/sha256/${digest.slice('sha256:'.length)}`;
    const docker = [
      { Config: path(config.digest), RepoTags: [request.tag], Layers: layers.map(({ digest }) => path(digest)) },
    ];
    await writeFile(join(directory, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
    await writeFile(join(directory, 'index.json'), JSON.stringify(index));
    await writeFile(join(directory, 'manifest.json'), JSON.stringify(docker));
    await mkdir(dirname(request.output), { recursive: true });
    const partial = `${request.output}.${process.pid}.partial`;
    await tar(directory, createWriteStream(partial));
    await rename(partial, request.output);
    return { path: request.output, bytes: (await stat(request.output)).size, digest: manifest.digest };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function imageConfig(request: ImageRequest, diffIds: readonly string[]): object {
  return {
    architecture: request.architecture,
    os: 'linux',
    config: {
      Env: Object.entries(request.environment ?? {}).map(([name, value]) => `${name}=${value}`),
      ...(request.entrypoint && { Entrypoint: request.entrypoint }),
      ...(request.command && { Cmd: request.command }),
      ...(request.user && { User: request.user }),
      WorkingDir: request.workingDir ?? '/',
    },
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: diffIds.map(() => ({ created_by: 'ksnoop' })),
  };
}

/** One directory as a gzipped tar, named by its hash; `diffId` is the hash of the tar inside. */
async function writeLayer(root: string, blobs: string) {
  const partial = join(blobs, 'layer.partial');
  const inner = createHash('sha256');
  const gzip = createGzip({ level: 6 });
  gzip.on('error', () => {});
  const written = pipeline(gzip, createWriteStream(partial));
  await tar(root, gzip, (chunk) => inner.update(chunk));
  await written;
  const outer = createHash('sha256');
  for await (const chunk of createReadStream(partial)) outer.update(chunk);
  const hash = outer.digest('hex');
  await rename(partial, join(blobs, hash));
  const { size } = await stat(join(blobs, hash));
  return { digest: `sha256:${hash}`, size, diffId: `sha256:${inner.digest('hex')}` };
}

async function writeJson(blobs: string, value: object) {
  const text = JSON.stringify(value);
  const hash = createHash('sha256').update(text).digest('hex');
  await writeFile(join(blobs, hash), text);
  return { digest: `sha256:${hash}`, size: Buffer.byteLength(text) };
}

/**
 * GNU tar without everything that differs from one run to the next. The directory's entries are named one by one:
 * a `./` of its own would give the image's root the directory's mode, and kind looks for `manifest.json` by that very name.
 */
async function tar(directory: string, into: NodeJS.WritableStream, each?: (chunk: Buffer) => void): Promise<void> {
  const same = [
    '--sort=name',
    '--mtime=@0',
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    '--mode=a+rX',
    '--format=gnu',
  ];
  // The empty list of names lets an empty directory be an empty archive.
  const names = ['--files-from=/dev/null', '--', ...(await readdir(directory)).sort()];
  const child = spawn('tar', ['-C', directory, '-cf', '-', ...same, ...names], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  if (each !== undefined) child.stdout.on('data', each);
  await pipeline(child.stdout, into);
  const [code] = await closed;
  if (code !== 0) throw new Error(`tar of ${directory} ended with code ${code}`);
}

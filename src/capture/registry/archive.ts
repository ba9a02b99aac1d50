import { openAsBlob } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { EXIT, KsnoopError, messageOf, systemCode } from '../../wire/errors.ts';
import { isObject, type JsonObject, objectAt, objectsAt, optionalString, parseJson } from '../../wire/guard.ts';
import { ARCHIVE_MEMBERS, MANIFEST_BYTES, PLATFORMS_MAXIMUM } from './limits.ts';

/** Bytes of a tar record (POSIX.1-2017, pax). */
const RECORD = 512;

const DIGEST = /^sha256:[0-9a-f]{64}$/;

const FILE_WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  ENOTDIR: 'it does not exist',
  EISDIR: 'it is a directory',
  EACCES: 'you may not read it',
};

/** A manifest of an archive, with what it refers to. */
export interface ImageManifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly platform: JsonObject;
  readonly bytes: Buffer;
  /** Digests of its configuration and layers. */
  readonly blobs: readonly string[];
}

interface Member {
  readonly at: number;
  readonly size: number;
}

/** An image archive: a tar with an OCI image layout (image-layout.md), as ksnoop and docker write it. */
export class ImageArchive {
  readonly path: string;
  readonly #members: ReadonlyMap<string, Member>;
  readonly #blob: Blob;

  private constructor(path: string, members: ReadonlyMap<string, Member>, blob: Blob) {
    this.path = path;
    this.#members = members;
    this.#blob = blob;
  }

  /** @throws KsnoopError BAD_IMAGE_ARCHIVE (exit 2) */
  static async open(path: string): Promise<ImageArchive> {
    let file: FileHandle | undefined;
    try {
      file = await open(path);
      const members = await membersOf(file, (await file.stat()).size);
      return new ImageArchive(path, members, await openAsBlob(path));
    } catch (thrown) {
      throw thrown instanceof KsnoopError
        ? thrown
        : bad(path, FILE_WORDS[systemCode(thrown) ?? ''] ?? messageOf(thrown));
    } finally {
      await file?.close();
    }
  }

  /** Its images, one for each platform. @throws KsnoopError BAD_IMAGE_ARCHIVE (exit 2) */
  async manifests(): Promise<ImageManifest[]> {
    const found: ImageManifest[] = [];
    for (const entry of objectsAt(await this.#json('index.json'), 'manifests')) {
      const nested = optionalString(entry, 'mediaType')?.endsWith('.index.v1+json');
      const entries = nested ? objectsAt(await this.#json(this.#pathOf(entry)), 'manifests') : [entry];
      for (const each of entries) {
        // docker adds statements about an image as manifests of an unknown platform.
        if (objectAt(each, 'platform').os === 'unknown') continue;
        found.push(await this.#manifest(each));
      }
      if (found.length > PLATFORMS_MAXIMUM) throw bad(this.path, 'it has too many images');
    }
    if (found.length === 0) throw bad(this.path, 'it has no image');
    return found;
  }

  /** The bytes of a blob; they are read when they are sent. @throws KsnoopError BAD_IMAGE_ARCHIVE (exit 2) */
  blob(digest: string): Blob {
    const { at, size } = this.#member(blobPath(digest));
    return this.#blob.slice(at, at + size);
  }

  async #manifest(entry: JsonObject): Promise<ImageManifest> {
    const path = this.#pathOf(entry);
    const bytes = await this.#bytes(path);
    const manifest = this.#parsed(bytes, path);
    const blobs = [objectAt(manifest, 'config'), ...objectsAt(manifest, 'layers')].map(({ digest }) => String(digest));
    for (const digest of blobs) this.#member(blobPath(this.#checked(digest)));
    return {
      digest: String(entry.digest),
      mediaType: optionalString(manifest, 'mediaType') ?? 'application/vnd.oci.image.manifest.v1+json',
      platform: entry.platform === undefined ? await this.#platform(blobs[0] ?? '') : objectAt(entry, 'platform'),
      bytes,
      blobs,
    };
  }

  /** As the image's configuration has it. */
  async #platform(config: string): Promise<JsonObject> {
    const { os, architecture } = await this.#json(blobPath(config));
    return { os, architecture };
  }

  #pathOf({ digest }: JsonObject): string {
    return blobPath(this.#checked(String(digest)));
  }

  #checked(digest: string): string {
    if (!DIGEST.test(digest)) throw bad(this.path, 'a digest in it is not a sha256');
    return digest;
  }

  #member(path: string): Member {
    const member = this.#members.get(path);
    if (member === undefined) throw bad(this.path, `${path} is missing`);
    return member;
  }

  async #bytes(path: string): Promise<Buffer> {
    const { at, size } = this.#member(path);
    if (size > MANIFEST_BYTES) throw bad(this.path, `${path} is too long`);
    return Buffer.from(await this.#blob.slice(at, at + size).arrayBuffer());
  }

  async #json(path: string): Promise<JsonObject> {
    return this.#parsed(await this.#bytes(path), path);
  }

  #parsed(bytes: Buffer, path: string): JsonObject {
    let value: unknown;
    try {
      value = parseJson(bytes.toString('utf8'), path);
    } catch (thrown) {
      throw bad(this.path, messageOf(thrown));
    }
    if (!isObject(value)) throw bad(this.path, `${path} is not a JSON object`);
    return value;
  }
}

function blobPath(digest: string): string {
  return `blobs/sha256/${digest.slice('sha256:'.length)}`;
}

/** Where each member's bytes are. Long names (pax, GNU) do not occur in an image layout. */
async function membersOf(file: FileHandle, length: number): Promise<Map<string, Member>> {
  const members = new Map<string, Member>();
  const header = Buffer.alloc(RECORD);
  for (let at = 0; at + RECORD <= length && members.size < ARCHIVE_MEMBERS; ) {
    await file.read(header, 0, RECORD, at);
    if (header[0] === 0) break;
    const end = header.indexOf(0);
    const name = header.toString('utf8', 0, end < 0 ? 100 : Math.min(end, 100)).replace(/^\.\//, '');
    const size = Number.parseInt(header.toString('latin1', 124, 136), 8);
    if (!Number.isSafeInteger(size) || size < 0 || at + RECORD + size > length) throw new Error('it is damaged');
    members.set(name, { at: at + RECORD, size });
    at += RECORD + Math.ceil(size / RECORD) * RECORD;
  }
  return members;
}

function bad(path: string, why: string): KsnoopError {
  return new KsnoopError('BAD_IMAGE_ARCHIVE', `${path} cannot be used as an image: ${why}.`, {
    hint: 'Build one: ksnoop image build, or docker save IMAGE -o FILE',
    exit: EXIT.usage,
  });
}

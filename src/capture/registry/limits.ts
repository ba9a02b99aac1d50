/** Bounds of what is read for a push. Sizes are bytes, times milliseconds. */

/** How long a credential helper may take: it may ask its user. */
export const HELPER_MS = 120_000;
export const HELPER_BYTES = 1024 * 1024;

/** Members of an archive, and bytes of a manifest or index in it. */
export const ARCHIVE_MEMBERS = 10_000;
export const MANIFEST_BYTES = 4 * 1024 * 1024;

/** Manifests of an index: one for each architecture. */
export const PLATFORMS_MAXIMUM = 64;

/** Bytes of an error or token that are read from a registry. */
export const ANSWER_BYTES = 256 * 1024;

/** A request without a body, and how long a registry may take to accept a blob. */
export const REQUEST_MS = 60_000;
export const UPLOAD_MS = 1_800_000;

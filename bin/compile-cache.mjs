// An import of node:fs would load all that its exports may need, fs/promises and readline among them: 5 ms.
const { lstatSync, mkdirSync } = process.getBuiltinModule('node:fs');
const module = process.getBuiltinModule('node:module');
const { homedir } = process.getBuiltinModule('node:os');
const { isAbsolute, join } = process.getBuiltinModule('node:path');

/**
 * Half of the start is compiling; from the second time on Node finds it done. Code is read from there, so the cache is below
 * the user's own directory, and not used where another user could have written it.
 */
export function useCompileCache() {
  if (process.env.NODE_COMPILE_CACHE !== undefined || process.env.NODE_DISABLE_COMPILE_CACHE !== undefined) return;
  const directory = privateDirectory();
  if (directory !== undefined) module.enableCompileCache?.(directory);
}

/** @returns a directory that only this user can write to; undefined where there is none */
function privateDirectory() {
  try {
    const home = process.env.XDG_CACHE_HOME;
    const base = home !== undefined && isAbsolute(home) ? home : join(homedir(), '.cache');
    const own = join(base, 'ksnoop');
    const compiled = join(own, 'compiled');
    mkdirSync(compiled, { recursive: true, mode: 0o700 });
    return isPrivate(base, false) && isPrivate(own, true) && isPrivate(compiled, true) ? compiled : undefined;
  } catch {
    // A read-only home, for example: then the start is slower.
    return undefined;
  }
}

/** @param strict it is ksnoop's own: no link, and nobody else may write to it */
function isPrivate(path, strict) {
  const there = lstatSync(path);
  if (!there.isDirectory()) return !strict && there.isSymbolicLink() && there.uid === process.getuid?.();
  if (there.uid !== process.getuid?.()) return false;
  return (there.mode & 0o022) === 0;
}

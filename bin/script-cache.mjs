// An import of node:fs would load all that its exports may need, fs/promises and readline among them: 5 ms.
const fs = process.getBuiltinModule('node:fs');
const { Buffer, isAscii } = process.getBuiltinModule('node:buffer');
const { homedir } = process.getBuiltinModule('node:os');
const { dirname, isAbsolute, join } = process.getBuiltinModule('node:path');
const { Script } = process.getBuiltinModule('node:vm');

/** Shorter files are compiled sooner than their compiled form is read, bytes. */
const SMALL_BYTES = 4096;
/** What is compiled grows by what other runs use: it is looked at again after this time, ms. */
const LOOK_AGAIN_MS = 3_600_000;
/** All that is kept, of every version and command: what was made first goes first. */
const KEPT_BYTES = 64 * 2 ** 20;

/**
 * Runs a program whose files are each the function of a CommonJS module (scripts/join-chunks.ts). Half of a start is compiling, so what
 * V8 made of the files is kept, together with the functions that the run has used: Node's own compile cache leaves those out, and they
 * take as long again. Code is read from there, so it is below the user's own directory, and not used where another user could have
 * written it.
 * @param path of its first file; what it requires by a relative name is loaded here too
 * @throws Error ENOENT when a file is missing, and what the program throws
 */
export function runProgram(path) {
  const scripts = new Scripts(cacheDirectory());
  process.on('exit', () => scripts.keep());
  const loaded = new Map();
  const load = (file) => {
    const known = loaded.get(file);
    if (known !== undefined) return known.exports;
    const module = { exports: {} };
    loaded.set(file, module);
    const directory = dirname(file);
    const require = (name) => (name.startsWith('.') ? load(join(directory, name)) : process.getBuiltinModule(name));
    try {
      scripts.compiled(file)(module.exports, require, module, file, directory);
    } catch (thrown) {
      loaded.delete(file);
      throw thrown;
    }
    return module.exports;
  };
  load(path);
}

/** The scripts of this process, and what is kept of them from one to the next. */
class Scripts {
  #cache;
  #compiled = [];

  /** @param cache directory; undefined for none */
  constructor(cache) {
    this.#cache = cache;
  }

  /** @returns the function that CommonJS makes of a file */
  compiled(file) {
    const descriptor = fs.openSync(file);
    let text;
    let kept;
    try {
      const stat = fs.fstatSync(descriptor);
      const bytes = fs.readFileSync(descriptor);
      // Nearly all are, and V8 takes them as they are.
      text = isAscii(bytes) ? bytes.latin1Slice() : bytes.toString();
      if (stat.size >= SMALL_BYTES && this.#cache !== undefined) {
        // The time of change cannot be set: another file never has all of these. What another V8 made, this one cannot use.
        const of = `${process.versions.v8}-${process.arch}-${commandWord()}`;
        kept = join(this.#cache, `${stat.dev}-${stat.ino}-${stat.size}-${stat.ctimeMs}-${of}`);
      }
    } finally {
      fs.closeSync(descriptor);
    }
    const cachedData = kept === undefined ? undefined : readKept(kept);
    const script = new Script(text, { filename: file, cachedData });
    if (kept !== undefined)
      this.#compiled.push({ script, kept, bytes: script.cachedDataRejected ? 0 : (cachedData?.length ?? 0) });
    return script.runInThisContext();
  }

  /** At the end of the process, when what it needed is compiled. */
  keep() {
    let wrote = false;
    for (const { script, kept, bytes } of this.#compiled) {
      try {
        if (bytes > 0 && Date.now() - fs.statSync(kept).mtimeMs < LOOK_AGAIN_MS) continue;
        const data = script.createCachedData();
        if (data.length <= bytes) {
          const now = new Date();
          fs.utimesSync(kept, now, now);
          continue;
        }
        replace(kept, data);
        wrote = true;
      } catch {
        // A full disk, for example: then the next start is slower.
      }
    }
    if (wrote) bound(this.#cache);
  }
}

/** Each command uses other functions. @returns its name, or that of captures, whose first word is a target or a flag */
function commandWord() {
  const [, , first = ''] = process.argv;
  if (/^(-h|--help|-V|--version)$/.test(first)) return 'help';
  return /^[a-z_]{2,16}$/.test(first) ? first : 'capture';
}

/**
 * V8 does not look whether what it takes is whole, and a wrong byte ends the process. So each file has it twice: to compare is done sooner
 * than node:zlib is loaded for a checksum. Moved into place: another process never reads half of it, nor writes to the same file, also one
 * with the same id in another container.
 */
function replace(path, data) {
  const making = `${path}.${Math.random().toString(36).slice(2)}`;
  try {
    fs.writeFileSync(making, Buffer.concat([data, data]), { mode: 0o600, flag: 'wx' });
    fs.renameSync(making, path);
  } catch (thrown) {
    fs.rmSync(making, { force: true });
    throw thrown;
  }
}

/** @returns what `replace` has written; undefined where there is nothing, or it is damaged */
function readKept(path) {
  try {
    const twice = fs.readFileSync(path);
    const data = twice.subarray(0, twice.length / 2);
    return data.equals(twice.subarray(data.length)) ? data : undefined;
  } catch {
    return undefined;
  }
}

function bound(directory) {
  try {
    const files = fs.readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isFile());
    const found = files.map(({ name }) => ({ path: join(directory, name), stat: fs.lstatSync(join(directory, name)) }));
    let bytes = 0;
    for (const { path, stat } of found.sort((a, b) => b.stat.mtimeMs - a.stat.mtimeMs)) {
      bytes += stat.size;
      if (bytes > KEPT_BYTES) fs.rmSync(path);
    }
  } catch {
    // Another process does the same at this moment.
  }
}

/** @returns a directory that only this user can write to; undefined where there is none, or the user wants none */
function cacheDirectory() {
  if (process.env.NODE_DISABLE_COMPILE_CACHE !== undefined) return undefined;
  try {
    const home = process.env.XDG_CACHE_HOME;
    const base = home !== undefined && isAbsolute(home) ? home : join(homedir(), '.cache');
    const own = join(base, 'ksnoop');
    const scripts = join(own, 'scripts');
    // With sudo the home may be another user's, who could not write to what is made there now.
    if (!isOurs(fs.statSync(existing(base)))) return undefined;
    fs.mkdirSync(scripts, { recursive: true, mode: 0o700 });
    const isPrivate = isOnlyOurs(fs.statSync(base)) && [own, scripts].every((path) => isOnlyOurs(fs.lstatSync(path)));
    return isPrivate ? scripts : undefined;
  } catch {
    // A read-only home, for example: then the start is slower.
    return undefined;
  }
}

/** @returns the path, or the nearest directory above it that is there */
function existing(path) {
  return fs.existsSync(path) ? path : existing(dirname(path));
}

function isOurs(there) {
  return there.uid === process.getuid?.();
}

function isOnlyOurs(there) {
  return there.isDirectory() && isOurs(there) && (there.mode & 0o022) === 0;
}

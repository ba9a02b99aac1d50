import { isBuiltin } from 'node:module';
import type { Plugin } from 'esbuild';

/**
 * Dependencies written as CommonJS still call require(), for Node's own modules and for optional ones that are not bundled. A
 * `createRequire` in each file takes longer, and looks for the latter on the disk.
 */
export const REQUIRE =
  'const require = (name) => { const module = process.getBuiltinModule(name); if (module === undefined) throw new Error(name); return module; };';

/**
 * Makes `import … from 'node:http'` cost nothing until something of it is used, and then what `require('node:http')`
 * does. An ES import of a builtin reads every one of its exports, and some are getters that load more: node:http's
 * WebSocket all of the undici inside Node, 35 ms of 40 (Node 22 to 26), node:crypto's, node:dns's and node:fs's some 2 ms
 * each; and node:crypto itself takes 9 ms, which most starts never need.
 */
export function plainBuiltins(): Plugin {
  return {
    name: 'plain-builtins',
    setup(build) {
      build.onResolve({ filter: /^(node:)?[a-z0-9_/]+$/ }, ({ path, kind }) => {
        const isImport = kind === 'import-statement' || kind === 'dynamic-import';
        // ws requires zlib for a compression that no connection here uses.
        const isPlain = isImport || path === 'zlib';
        return isPlain && isBuiltin(path) ? { path, namespace: 'plain-builtins' } : undefined;
      });
      build.onLoad({ filter: /.*/, namespace: 'plain-builtins' }, ({ path }) => ({
        contents: moduleText(path),
        loader: 'js',
      }));
    },
  };
}

/**
 * A CommonJS module whose exports are the builtin's, each looked up when it is read. They are on its prototype: each import
 * of the module copies what is its own, some hundred names.
 */
function moduleText(path: string): string {
  const load = `process.getBuiltinModule(${JSON.stringify(path)})`;
  const builtin: unknown = process.getBuiltinModule(path);
  // Some are a function themselves: node:events, node:stream, node:assert.
  if (typeof builtin !== 'object' || builtin === null) return `module.exports = ${load};`;
  const names = JSON.stringify(Object.getOwnPropertyNames(builtin));
  return `
    let builtin;
    const names = {};
    for (const name of ${names}) {
      Object.defineProperty(names, name, { enumerable: true, get: () => (builtin ??= ${load})[name] });
    }
    module.exports = Object.create(names);`;
}

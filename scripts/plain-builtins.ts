import { isBuiltin } from 'node:module';
import type { Plugin } from 'esbuild';

/**
 * Makes `import … from 'node:http'` cost what `require('node:http')` does. An ES import of a builtin reads every one of
 * its exports, and some are getters that load more: node:http's WebSocket all of the undici inside Node, 35 ms of 40
 * (Node 22 to 26), node:crypto's, node:dns's and node:fs's some 2 ms each. A CommonJS module in between leaves them alone.
 */
export function plainBuiltins(): Plugin {
  return {
    name: 'plain-builtins',
    setup(build) {
      build.onResolve({ filter: /^(node:)?[a-z_/]+$/ }, ({ path, kind }) => {
        const isImport = kind === 'import-statement' || kind === 'dynamic-import';
        return isImport && isBuiltin(path) ? { path, namespace: 'plain-builtins' } : undefined;
      });
      build.onLoad({ filter: /.*/, namespace: 'plain-builtins' }, ({ path }) => ({
        contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
        loader: 'js',
      }));
    },
  };
}

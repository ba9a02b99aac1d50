import type { Plugin } from 'esbuild';

/**
 * Makes `import … from 'node:http'` cost what `require('node:http')` does. An ES import of a builtin reads every one of
 * its exports, and node:http's WebSocket is a getter that loads all of the undici inside Node: 35 ms of 40 for two
 * functions (Node 22 to 26). A CommonJS module in between leaves the getters alone.
 */
export function plainHttp(): Plugin {
  return {
    name: 'plain-http',
    setup(build) {
      build.onResolve({ filter: /^(node:)?http$/ }, ({ kind }) =>
        kind === 'import-statement' ? { path: 'node:http', namespace: 'plain-http' } : undefined,
      );
      build.onLoad({ filter: /.*/, namespace: 'plain-http' }, () => ({
        contents: `module.exports = process.getBuiltinModule('node:http');`,
        loader: 'js',
      }));
    },
  };
}

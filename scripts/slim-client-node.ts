import { dirname } from 'node:path';
import type { Plugin } from 'esbuild';

/**
 * Bundles the parts of @kubernetes/client-node that ksnoop uses, each without what it does not reach through them:
 * - KubeConfig (dist/config.js) without undici and the typed API (we call over node:https), and its exec, file and OIDC
 *   credentials (src/capture/kube/credentials.ts). That is nine tenths of the bundle and most of the time `ksnoop` takes to
 *   start.
 * - the object API (dist/object.js) with the kinds' models and without the classes of single API groups and their transport.
 * What is left away throws when it is used after all. Modules that a rare kubeconfig needs (jsonpath for the gcp and azure
 * providers, SOCKS) are bundled but run on first use.
 */
export function slimClientNode(): Plugin {
  return {
    name: 'slim-client-node',
    setup(build) {
      const met = new Set<string>();
      const importers = new Set<string>();
      build.onResolve({ filter: /.*/ }, (found) => {
        const [, importer] = /@kubernetes\/client-node\/dist\/(.*)$/.exec(found.importer) ?? [];
        importers.add(importer ?? '');
        const key = REPLACED.has(found.path) ? found.path : `${importer} ${found.path}`;
        if (importer === undefined || !REPLACED.has(key)) return undefined;
        met.add(key);
        return { path: key, namespace: 'slim', pluginData: { resolveDir: dirname(found.importer) } };
      });
      build.onLoad({ filter: /.*/, namespace: 'slim' }, ({ path, pluginData }) => ({
        contents: REPLACED.get(path) ?? '',
        loader: 'js',
        resolveDir: pluginData.resolveDir,
      }));
      build.onEnd(() => {
        const missed = [...REPLACED.keys()].filter((key) => !met.has(key) && isExpected(key, importers));
        // A new client-node imports other things: better no build than one that is slow or broken.
        if (missed.length === 0) return {};
        return {
          errors: [{ text: `@kubernetes/client-node no longer imports ${missed.join(', ')}: look at what it does` }],
        };
      });
    },
  };
}

/** Without the object API in the bundle nothing of it is to be replaced. */
function isExpected(key: string, importers: ReadonlySet<string>): boolean {
  const [importer, path] = key.split(' ');
  return path === undefined || importers.has(importer ?? '');
}

const unused = (name: string) =>
  `export class ${name} { constructor() { throw new Error('ksnoop is built without ${name} of @kubernetes/client-node'); } }`;

/** An authenticator that never feels responsible: ksnoop hands over the token itself. */
const silent = (name: string) => `export class ${name} { isAuthProvider() { return false; } }`;

/** By what is imported, or by the importing file and what it imports. */
const REPLACED: ReadonlyMap<string, string> = new Map([
  [
    'undici',
    `${unused('Agent')} ${unused('ProxyAgent')} export function fetch() { throw new Error('ksnoop is built without it'); }`,
  ],
  [
    'object.js ./api.js',
    `export { ApiException } from './gen/apis/exception.js'; export { HttpMethod } from './gen/http/http.js';`,
  ],
  [
    'config.js ./gen/index.js',
    `${unused('ServerConfiguration')} export function createConfiguration() { new ServerConfiguration(); }`,
  ],
  ['./middleware.js', 'export function setHeaderMiddleware() { throw new Error("ksnoop is built without it"); }'],
  ['../package.json', 'export default { version: "" };'],
  ['./exec_auth.js', silent('ExecAuth')],
  ['./file_auth.js', silent('FileAuth')],
  ['./oidc_auth.js', silent('OpenIDConnectAuth')],
  ['jsonpath-plus', `export function JSONPath(options) { return require('jsonpath-plus').JSONPath(options); }`],
  ['socks', 'export const SocksClient = undefined;'],
  [
    'socks-proxy-agent',
    `export function SocksProxyAgent(...values) { return new (require('socks-proxy-agent').SocksProxyAgent)(...values); }`,
  ],
]);

import { dirname } from 'node:path';
import type { Plugin } from 'esbuild';

/**
 * Bundles @kubernetes/client-node's KubeConfig without what ksnoop does not reach through it: undici and the typed API
 * (we call over node:https), and its exec, file and OIDC credentials (src/capture/kube/credentials.ts). That is nine
 * tenths of the bundle and most of the time `ksnoop` takes to start. What is left away throws when it is used after all.
 * Modules that a rare kubeconfig needs (jsonpath for the gcp and azure providers, SOCKS) are bundled but run on first use.
 */
export function slimClientNode(): Plugin {
  return {
    name: 'slim-client-node',
    setup(build) {
      const met = new Set<string>();
      build.onResolve({ filter: /.*/ }, (found) => {
        const replacement = REPLACED.get(found.path);
        if (replacement === undefined || !found.importer.includes('@kubernetes/client-node/dist/')) return undefined;
        met.add(found.path);
        return { path: found.path, namespace: 'slim', pluginData: { resolveDir: dirname(found.importer) } };
      });
      build.onLoad({ filter: /.*/, namespace: 'slim' }, ({ path, pluginData }) => ({
        contents: REPLACED.get(path) ?? '',
        loader: 'js',
        resolveDir: pluginData.resolveDir,
      }));
      build.onEnd(() => {
        const missed = [...REPLACED.keys()].filter((path) => !met.has(path));
        // A new client-node imports other things: better no build than one that is slow or broken.
        if (missed.length === 0) return {};
        return {
          errors: [{ text: `@kubernetes/client-node no longer imports ${missed.join(', ')}: look at what it does` }],
        };
      });
    },
  };
}

const unused = (name: string) =>
  `export class ${name} { constructor() { throw new Error('ksnoop is built without ${name} of @kubernetes/client-node'); } }`;

/** An authenticator that never feels responsible: ksnoop hands over the token itself. */
const silent = (name: string) => `export class ${name} { isAuthProvider() { return false; } }`;

const REPLACED: ReadonlyMap<string, string> = new Map([
  ['undici', `${unused('Agent')} ${unused('ProxyAgent')}`],
  [
    './gen/index.js',
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

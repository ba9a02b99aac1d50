import { BlockList, isIP, isIPv6 } from 'node:net';

/**
 * The proxy that the environment configures, as kubectl reads it (golang.org/x/net/http/httpproxy): HTTPS_PROXY or HTTP_PROXY
 * by the server's scheme unless NO_PROXY names the server; loopback is never proxied.
 * @param environment the process's variables; capitals win over small letters
 */
export function proxyFor(server: URL, environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const name = server.protocol === 'http:' ? 'http_proxy' : 'https_proxy';
  const proxy = environment[name.toUpperCase()] || environment[name];
  if (!proxy) return undefined;
  const host = server.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (host === 'localhost' || host === '::1' || /^127\./.test(host)) return undefined;
  const exceptions = (environment.NO_PROXY || environment.no_proxy || '').split(',');
  const port = server.port || (server.protocol === 'http:' ? '80' : '443');
  if (exceptions.some((exception) => matches(exception.trim().toLowerCase(), host, port))) return undefined;
  return proxy.includes('://') ? proxy : `http://${proxy}`;
}

/** One entry of NO_PROXY: `*`, an address, a network, `host`, `.domain` or `*.domain`, the last three with a port or not. */
function matches(exception: string, host: string, port: string): boolean {
  if (exception === '') return false;
  if (exception === '*') return true;
  const [network = '', bits] = exception.split('/');
  if (bits !== undefined && isIP(network) !== 0) {
    const version = isIPv6(network) ? 'ipv6' : 'ipv4';
    if (isIP(host) === 0 || isIPv6(host) !== isIPv6(network)) return false;
    const list = new BlockList();
    try {
      list.addSubnet(network, Number(bits), version);
    } catch {
      return false;
    }
    return list.check(host, version);
  }
  if (isIP(exception) !== 0) return exception === host;
  const [name = '', only] = exception.split(':');
  if (only !== undefined && only !== port) return false;
  const domain = name.replace(/^\*/, '');
  return domain.startsWith('.') ? host.endsWith(domain) : host === domain || host.endsWith(`.${domain}`);
}

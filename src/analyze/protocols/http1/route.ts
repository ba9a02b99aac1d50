import { CacheOfTexts } from '../../record/text-cache.ts';

/** Path segments that name one thing among many: numbers, UUIDs, long hexadecimal ids. */
const ID = /^(?:\d+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{16,})$/i;

const cache = new CacheOfTexts();

/** What a request is counted under: its method and its path, ids left out, without query: `GET /users/:id`. */
export function routeOf(method: string, target: string): string {
  // Queries differ from request to request, paths come again.
  const query = target.indexOf('?');
  const fragment = target.indexOf('#');
  const end = query < 0 || (fragment >= 0 && fragment < query) ? fragment : query;
  const path = end < 0 ? target : target.slice(0, end);
  return cache.of(path, method, () => {
    const plain = path
      .replace(/^https?:\/\/[^/]*/i, '')
      .split('/')
      .map((segment) => (ID.test(segment) ? ':id' : segment))
      .join('/');
    return `${method} ${plain === '' ? '/' : plain}`;
  });
}

import { NumberShapes } from '../../record/number-shapes.ts';
import { CacheOfTexts } from '../../record/text-cache.ts';

/** Path segments that name one thing among many: numbers, UUIDs, long hexadecimal ids. */
const ID = /^(?:\d+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{16,})$/i;

const cache = new CacheOfTexts();
/** A number between slashes is an id whatever its digits. */
const shapes = new NumberShapes<string>('/', '/');

/** What a request is counted under: its method and its path, ids left out, without query: `GET /users/:id`. */
export function routeOf(method: string, target: string): string {
  // Queries differ from request to request, paths come again.
  const query = target.indexOf('?');
  const fragment = target.indexOf('#');
  const end = query < 0 || (fragment >= 0 && fragment < query) ? fragment : query;
  const known = shapes.of(method, target, end < 0 ? target.length : end);
  if (known !== undefined) return known;
  const route = routeOfPath(method, end < 0 ? target : target.slice(0, end));
  shapes.remember(route);
  return route;
}

/** A function of its own: what its closure uses is allocated wherever the function around it is entered. */
function routeOfPath(method: string, path: string): string {
  return cache.of(path, method, () => {
    const plain = path
      .replace(/^https?:\/\/[^/]*/i, '')
      .split('/')
      .map((segment) => (ID.test(segment) ? ':id' : segment))
      .join('/');
    return `${method} ${plain === '' ? '/' : plain}`;
  });
}

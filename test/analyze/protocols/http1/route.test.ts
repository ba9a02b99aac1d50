import { expect, test } from 'vitest';
import { routeOf } from '../../../../src/analyze/protocols/http1/route.ts';
import { Random } from '../../../support/random.ts';

/** Without anything remembered. */
function plainRoute(method: string, target: string): string {
  const path = target.replace(/[?#].*$/s, '').replace(/^https?:\/\/[^/]*/i, '');
  const id = /^(?:\d+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16,})$/i;
  const segments = path.split('/').map((segment) => (id.test(segment) ? ':id' : segment));
  return `${method} ${segments.join('/') || '/'}`;
}

test('a route is that of its own target, whatever targets came before', () => {
  const random = new Random(5);
  const pieces = ['items', 'v1', '7', '12', '123456789012345678', 'a1', '1a', '9f86d081884c7d659a2f', 'ä', '1=2', ''];
  const ends = ['', '', '?n=1', '?n=2/3', '#top', '/', '?a=1#b', '#a?b=1', '?'];
  const pick = (of: readonly string[]) => of[random.below(of.length)] as string;
  for (let count = 0; count < 20_000; count += 1) {
    const begin = pick(['/', '/', '/', '', 'http://10/', 'https://shop:80/']);
    const path = Array.from({ length: 1 + random.below(4) }, () => pick(pieces)).join('/');
    const target = begin + path.replace(/\d/g, () => String(random.below(10))) + pick(ends);
    const method = pick(['GET', 'PUT', 'POST']);
    expect(routeOf(method, target), target).toBe(plainRoute(method, target));
  }
});

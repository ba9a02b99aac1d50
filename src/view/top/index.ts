import { capture } from './capture.ts';
import { dns } from './dns.ts';
import { exchanges } from './exchanges.ts';
import { findings } from './findings.ts';
import { flows } from './flows.ts';
import { paths } from './paths.ts';
import { services } from './services.ts';
import type { ViewKind } from './view.ts';

/** Every view of `ksnoop top`, in the order of its tabs: a new one is a file here and a line below. */
export const TOP_VIEWS: readonly ViewKind[] = [findings, services, exchanges, paths, flows, dns, capture];

if (new Set(TOP_VIEWS.map(({ name }) => name)).size < TOP_VIEWS.length) throw new Error('two views have one name');

export const TOP_VIEW_NAMES = TOP_VIEWS.map(({ name }) => name);

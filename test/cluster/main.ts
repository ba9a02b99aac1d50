import { layoutOf } from './layout.ts';
import { up } from './up.ts';

await up(layoutOf());

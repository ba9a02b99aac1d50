import { fields } from './fields.ts';
import { filters } from './filters.ts';
import { outputs } from './outputs.ts';
import { screen } from './screen.ts';
import { security } from './security.ts';
import { targets } from './targets.ts';
import type { Topic } from './topic.ts';

/** Every page of `ksnoop help`: a new one is a file here and a line below. */
export const TOPICS: readonly Topic[] = [targets, filters, fields, outputs, screen, security];

import { VERSION } from '../../wire/version.ts';
import { type Check, findings } from './check.ts';

const finding = findings('client');

/** This program and what runs it. That Node is new enough was seen to before anything else (bin/node-version.mjs). */
export const client: Check = {
  name: 'client',
  look: () => [finding.ok(`ksnoop ${VERSION} on Node ${process.versions.node}, ${process.platform} ${process.arch}`)],
};

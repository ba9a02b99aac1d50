import { expect, test } from 'vitest';
import { PUBLIC_IMAGE, publicImageNote } from '../../../src/capture/agentless/preference.ts';

test('the public image is announced where nodes may pull it', () => {
  for (const mode of ['auto', 'ephemeral'] as const) {
    expect(publicImageNote({ mode, image: PUBLIC_IMAGE })).toContain('nicolaka/netshoot');
    expect(publicImageNote({ mode, image: 'registry.example/probe:1' })).toBeUndefined();
  }
  for (const mode of ['existing', 'upload', 'node'] as const) {
    expect(publicImageNote({ mode, image: PUBLIC_IMAGE })).toBeUndefined();
  }
});

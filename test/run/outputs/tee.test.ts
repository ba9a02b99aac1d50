import { expect, test } from 'vitest';
import type { Output } from '../../../src/run/outputs/output.ts';
import { TeeOutput } from '../../../src/run/outputs/tee.ts';

function recorded(name: string, calls: string[], state: { pending: number; ended: boolean; omitted?: string }): Output {
  return {
    ...state,
    omitted: state.omitted,
    flush: () => void calls.push(`${name} flush`),
    addNames: (records) => void calls.push(`${name} names ${records.length}`),
    addInterface: (id) => void calls.push(`${name} interface ${id}`),
    write: (type, id) => void calls.push(`${name} block ${type} of ${id}`),
    close: async (reason) => void calls.push(`${name} close ${reason}`),
  };
}

test('two outputs get the same, and the first that can take no more ends both', async () => {
  const calls: string[] = [];
  const tee = new TeeOutput(
    recorded('a', calls, { pending: 3, ended: false, omitted: 'an option' }),
    recorded('b', calls, { pending: 4, ended: true }),
  );
  const bytes = new Uint8Array(4);
  tee.addNames([]);
  tee.addInterface(0, bytes, 0, 4, { stream: 0, index: 0, gap: undefined, remarks: [] });
  tee.write(6, 0, bytes, 0, 4);
  tee.flush();
  await tee.close('user');
  const each = ['names 0', 'interface 0', 'block 6 of 0', 'flush', 'close user'];
  expect(calls).toEqual(each.flatMap((call) => [`a ${call}`, `b ${call}`]));
  expect(tee.pending).toBe(7);
  expect(tee.ended).toBe(true);
  expect(tee.omitted).toBe('an option');
});

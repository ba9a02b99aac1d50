import { expect, test } from 'vitest';
import { extcapArguments } from '../../../src/cli/extcap/arguments.ts';

test.each([
  [['--extcap-interfaces', '--extcap-version=4.0'], 'interfaces'],
  [['--extcap-dlts', '--extcap-interface', 'ksnoop'], 'dlts'],
  [['--extcap-config', '--extcap-interface', 'ksnoop'], 'config'],
  [['--extcap-config', '--extcap-interface', 'ksnoop', '--extcap-reload-option', 'target'], 'reload'],
  [['--extcap-capture-filter', 'tcp', '--extcap-interface', 'ksnoop'], 'filter'],
  [['--capture', '--extcap-interface', 'ksnoop', '--extcap-capture-filter', 'tcp', '--fifo', '/tmp/f'], 'capture'],
  [['--extcap-interface', 'ksnoop'], undefined],
  [[], undefined],
])('%j asks for %s', (argv, task) => {
  expect(extcapArguments(argv).task).toBe(task);
});

test('what the dialog holds comes with the flags of its fields; empty ones are not there', () => {
  const { fields, field, controlIn, controlOut } = extcapArguments(
    '--extcap-reload-option --target --namespace shop --context= --filter -x --extcap-control-in a --extcap-control-out b'.split(
      ' ',
    ),
  );
  expect({ fields, field, controlIn, controlOut }).toEqual({
    fields: { namespace: 'shop', filter: '-x' },
    field: 'target',
    controlIn: 'a',
    controlOut: 'b',
  });
});

test('what a later Wireshark may add does no harm', () => {
  const { task, interface: name } = extcapArguments([
    '--extcap-dlts',
    '--extcap-new=1',
    '--extcap-interface',
    'ksnoop',
  ]);
  expect([task, name]).toEqual(['dlts', 'ksnoop']);
});

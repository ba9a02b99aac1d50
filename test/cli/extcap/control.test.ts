import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import {
  COMMAND,
  CONTROL,
  type ControlMessage,
  ControlReader,
  controlMessage,
  Toolbar,
} from '../../../src/cli/extcap/control.ts';

test('a message is T, its length over three bytes, its control, its command, its payload', () => {
  expect([...controlMessage(1, COMMAND.add, 'hi')]).toEqual([0x54, 0, 0, 4, 1, 2, 0x68, 0x69]);
});

test('messages are read in whatever pieces they come, and what is none is passed over', () => {
  const bytes = Buffer.concat([
    Buffer.from('xx'),
    controlMessage(0, COMMAND.set),
    // A length no message has.
    Buffer.from([0x54, 0xff, 0xff, 0xff, 0, 0]),
    controlMessage(1, COMMAND.add, 'é'.repeat(300)),
  ]);
  for (const size of [1, 3, 7, bytes.length]) {
    const read: ControlMessage[] = [];
    const reader = new ControlReader((message) => read.push(message));
    for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
    expect(read).toEqual([
      { control: 0, command: COMMAND.set, payload: '' },
      { control: 1, command: COMMAND.add, payload: 'é'.repeat(300) },
    ]);
  }
});

test('what is said before Wireshark reads comes when it does, a bounded number of messages', () => {
  const toolbar = new Toolbar();
  for (let line = 0; line < 10_000; line++) toolbar.log(`line ${line}`);
  const pipe = new PassThrough();
  const read: ControlMessage[] = [];
  const reader = new ControlReader((message) => read.push(message));
  pipe.on('data', (chunk: Uint8Array) => reader.push(chunk));
  toolbar.speak(pipe);
  toolbar.status('done');
  pipe.resume();
  pipe.emit('data', Buffer.alloc(0));
  expect(read).toHaveLength(257);
  expect(read[0]).toEqual({ control: CONTROL.log, command: COMMAND.add, payload: 'line 0\n' });
  expect(read.at(-1)).toEqual({ control: 0, command: COMMAND.statusBar, payload: 'done' });
});

test('a press is heard; what Wireshark says besides is not a press', () => {
  const toolbar = new Toolbar();
  const pipe = new PassThrough();
  const pressed: number[] = [];
  toolbar.listen(pipe, (control) => pressed.push(control));
  pipe.emit('data', controlMessage(0, COMMAND.initialized));
  pipe.emit('data', controlMessage(CONTROL.pause, COMMAND.set));
  expect(pressed).toEqual([CONTROL.pause]);
});

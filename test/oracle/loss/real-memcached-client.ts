/** `real-memcached-client.ts ADDRESS COUNT FIRST_LENGTH`: sets values of as many lengths, gets them, and prints their numbers. */
import { connect } from 'node:net';

const [address = '', count = '0', firstLength = '0'] = process.argv.slice(2);
const socket = connect(11_211, address);
let received = '';
let wake: () => void = () => undefined;
socket.setEncoding('latin1').on('data', (text: string) => {
  received += text;
  wake();
});

/** @returns what was answered, up to this end of an answer */
async function ask(request: string, end: string): Promise<string> {
  received = '';
  socket.write(request);
  while (!received.endsWith(end)) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  return received;
}

for (let index = 0; index < Number(count); index += 1) {
  const value = 'v'.repeat(Number(firstLength) + index);
  await ask(`set k${index} 0 0 ${value.length}\r\n${value}\r\n`, 'STORED\r\n');
}
for (let index = 0; index < Number(count); index += 1) {
  const answer = await ask(`get k${index}\r\n`, 'END\r\n');
  const [, key, length] = /^VALUE k(\d+) 0 (\d+)\r\n/.exec(answer) ?? [];
  if (Number(length) === Number(firstLength) + index) console.log(key);
}
socket.end();

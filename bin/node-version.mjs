// Plain JavaScript that any Node since 12 can read: it is here to say that this Node is too old.

const WANTED = [22, 19];

/** End with a sentence instead of a stack trace when this Node is too old for `program`. */
export function requireNode(program) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > WANTED[0] || (major === WANTED[0] && minor >= WANTED[1])) return;
  process.stderr.write(
    `${program} needs Node ${WANTED.join('.')} or newer, and this is ${process.versions.node} (${process.execPath}).\n` +
      'Put a newer one first on PATH, for example with: npm install -g node\n',
  );
  process.exit(1);
}

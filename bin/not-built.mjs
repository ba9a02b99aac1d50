/**
 * In the repository dist/ has to be made first; say so instead of a stack trace. Any other failure is thrown on.
 * @param file of dist/ that the program begins with
 */
export function explain(program, file, thrown) {
  const absent = thrown?.code === 'ERR_MODULE_NOT_FOUND' ? thrown.url : thrown?.code === 'ENOENT' ? thrown.path : '';
  if (!String(absent).replaceAll('\\', '/').endsWith(`/dist/${file}`)) throw thrown;
  process.stderr.write(
    `${program} is not built: dist/${file} is missing. In its repository, run: npm ci && npm run build\n`,
  );
  process.exit(1);
}

/** In the repository dist/ has to be made first; say so instead of a stack trace. Any other failure is thrown on. */
export function explain(program, thrown) {
  const missing = thrown?.code === 'ERR_MODULE_NOT_FOUND' && String(thrown.url).endsWith(`/dist/${program}.mjs`);
  if (!missing) throw thrown;
  process.stderr.write(
    `${program} is not built: dist/${program}.mjs is missing. In its repository, run: npm ci && npm run build\n`,
  );
  process.exit(1);
}

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DESCRIPTION as image } from './description.ts';

/** The Dockerfile for people with docker, made from the description: `node daemonset/image/dockerfile.ts`. */
export function dockerfile(): string {
  const environment = Object.entries(image.environment).map(([name, value]) => `ENV ${name}=${value}`);
  const loaders = Object.values(image.architectures).map(({ loader }) => loader);
  const lines = [
    '# Made by daemonset/image/dockerfile.ts from description.ts; change that instead.',
    '# Build the agent first, then the image, from the root of the repository:',
    '#   npm run build && docker build -f daemonset/image/Dockerfile -t ksnoop-agent:VERSION .',
    `FROM node:${image.node}-${image.debian}-slim AS node`,
    '',
    `FROM debian:${image.debian}-slim AS files`,
    '# These versions and no others; daemonset/image/pin.ts pins newer ones.',
    'COPY daemonset/image/packages-*.sha256 /debs/',
    'RUN apt-get update \\',
    ' && mkdir /tree /image && cd /debs \\',
    ' && sums="packages-$(dpkg --print-architecture).sha256" \\',
    ' && apt-get download $(sed \'s/^[0-9a-f]*  //; s/_\\([^_]*\\)_.*/=\\1/; s/%3a/:/\' "$sums") \\',
    ' && sha256sum --check --strict --quiet "$sums"',
    `RUN cd /debs && mkdir -p /image${image.statusDirectory} && for deb in *.deb; do \\`,
    '      name="$(dpkg-deb -f "$deb" Package)" \\',
    '      && dpkg-deb -x "$deb" /tree \\',
    `      && dpkg-deb -f "$deb" > "/image${image.statusDirectory}/$name" || exit 1; \\`,
    '    done \\',
    ' && for deb in *.deb; do \\',
    '      name="$(dpkg-deb -f "$deb" Package)" \\',
    `      && mkdir -p "/image${image.documents}/$name" \\`,
    `      && cp -L "/tree${image.documents}/$name/copyright" "/image${image.documents}/$name/copyright" || exit 1; \\`,
    '    done',
    `RUN triplet="$(uname -m)-linux-gnu" && mkdir -p /image/usr/bin /image/bin /image/etc "/image/lib/$triplet" \\`,
    ...image.programs.map((program) => ` && cp /tree${program} /image${program} \\`),
    ` && for library in ${image.libraries.join(' ')}; do \\`,
    '      for directory in /tree/lib /tree/usr/lib; do \\',
    '        if [ -e "$directory/$triplet/$library" ]; then cp -L "$directory/$triplet/$library" "/image/lib/$triplet/"; fi; \\',
    '      done; \\',
    '      test -e "/image/lib/$triplet/$library"; \\',
    '    done \\',
    // Debian links the loader's name by an absolute path, so the file itself is taken from beside the libraries.
    ` && for loader in ${loaders.join(' ')}; do \\`,
    '      from="/tree/lib/$triplet/$(basename "$loader")"; \\',
    '      if [ -e "$from" ]; then mkdir -p "/image$(dirname "$loader")" && cp -L "$from" "/image$loader"; fi; \\',
    '    done \\',
    ` && printf '${image.passwd.replace('\n', '\\n')}' > /image/etc/passwd \\`,
    ` && printf '${image.group.replace('\n', '\\n')}' > /image/etc/group`,
    `COPY --from=node /usr/local/bin/node /image${image.nodePath}`,
    `COPY --from=node /usr/local/LICENSE /image${image.nodeLicensePath}`,
    `COPY dist/THIRD_PARTY_NOTICES.txt /image${image.noticesPath}`,
    'COPY dist/agent-image-*.cdx.json /tmp/',
    `RUN cp "/tmp/agent-image-$(dpkg --print-architecture).cdx.json" /image${image.billPath}`,
    'COPY dist/ksnoop-agent.mjs dist/ksnoop-controller.mjs dist/ksnoop-edge.mjs dist/ksnoop-observe.mjs dist/ksnoop-trigger.mjs /tmp/',
    ...[image.agentPath, image.controllerPath, image.edgePath, image.observePath, image.triggerPath].map((path) => {
      const bundle = `/tmp/${path.split('/').at(-1)}.mjs`;
      return `RUN { echo '${image.shebang}'; cat ${bundle}; } > /image${path} && chmod 755 /image${path}`;
    }),
    '',
    'FROM scratch',
    'COPY --from=files /image /',
    ...environment,
    `ENTRYPOINT ${JSON.stringify(image.entrypoint)}`,
    `CMD ${JSON.stringify(image.command)}`,
  ];
  return `${lines.join('\n')}\n`;
}

if (import.meta.main) writeFileSync(join(import.meta.dirname, 'Dockerfile'), dockerfile());

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RIGHT_ADDRESS } from '../../agent/namespaces.ts';
import { Random } from '../../support/random.ts';
import { type Kept, kept } from './kept.ts';
import { captureLive } from './live-capture.ts';

/** What nginx serves: mixed sizes, several names of each. */
const FILES = [
  { directory: 'items', suffix: 'json', bytes: 1_024 },
  { directory: 'pages', suffix: 'html', bytes: 8_192 },
  { directory: 'images', suffix: 'jpg', bytes: 65_536 },
] as const;
const NAMES = 20;
const CONNECTIONS = 50;
const TARGET_BYTES = 1_000_000_000;

const nginxConfiguration = (directory: string) => `
daemon off;
user root;
worker_processes 1;
pid ${directory}/pid;
error_log stderr;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  keepalive_requests 100000000;
  types { application/json json; text/html html; image/jpeg jpg; }
  server {
    listen ${RIGHT_ADDRESS}:80;
    root ${directory}/www;
  }
}
`;

/** wrk asks for one size after the other, and for the names in turn. */
const WRK_SCRIPT = `
local paths = {}
for name = 1, ${NAMES} do
${FILES.map(({ directory, suffix }) => `  paths[#paths + 1] = "/${directory}/" .. name .. ".${suffix}"`).join('\n')}
end
local next = 0
request = function()
  next = next % #paths + 1
  return wrk.format("GET", paths[next])
end
`;

/** A gigabyte of what a real nginx and 50 keep-alive connections of wrk say to each other. */
export function nginxCapture(): Promise<Kept> {
  const recipe = [nginxConfiguration('FOLDER'), WRK_SCRIPT, FILES, NAMES, CONNECTIONS, TARGET_BYTES];
  return kept('nginx.pcap', recipe, async (path) => {
    const directory = mkdtempSync(join(tmpdir(), 'ksnoop-nginx-'));
    try {
      serve(directory);
      writeFileSync(join(directory, 'wrk.lua'), WRK_SCRIPT);
      return await captureLive(path, {
        packages: { 'nginx-light': '/usr/sbin/nginx', wrk: '/usr/bin/wrk', ethtool: '/usr/sbin/ethtool' },
        server: ['nginx', '-e', 'stderr', '-c', join(directory, 'nginx.conf')],
        client: [
          ...['wrk', '-t1', `-c${CONNECTIONS}`, '-d300s', '-s', join(directory, 'wrk.lua')],
          `http://${RIGHT_ADDRESS}/`,
        ],
        filter: 'tcp port 80',
        bytes: TARGET_BYTES,
      });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
}

function serve(directory: string): void {
  const random = new Random(4);
  writeFileSync(join(directory, 'nginx.conf'), nginxConfiguration(directory));
  for (const file of FILES) {
    mkdirSync(join(directory, 'www', file.directory), { recursive: true });
    for (let name = 1; name <= NAMES; name += 1) {
      const content = Uint8Array.from({ length: file.bytes }, () => random.below(256));
      writeFileSync(join(directory, 'www', file.directory, `${name}.${file.suffix}`), content);
    }
  }
}

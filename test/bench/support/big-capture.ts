import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RIGHT_ADDRESS } from '../../agent/namespaces.ts';
import { Random } from '../../support/random.ts';
import { type Kept, kept } from './kept.ts';
import { captureLive } from './live-capture.ts';

/** What nginx serves: mixed sizes, several names of each. */
const FILES = [
  { folder: 'items', suffix: 'json', bytes: 1_024 },
  { folder: 'pages', suffix: 'html', bytes: 8_192 },
  { folder: 'images', suffix: 'jpg', bytes: 65_536 },
] as const;
const NAMES = 20;
const CONNECTIONS = 50;
const TARGET_BYTES = 1_000_000_000;

const nginxConfiguration = (folder: string) => `
daemon off;
user root;
worker_processes 1;
pid ${folder}/pid;
error_log stderr;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  keepalive_requests 100000000;
  types { application/json json; text/html html; image/jpeg jpg; }
  server {
    listen ${RIGHT_ADDRESS}:80;
    root ${folder}/www;
  }
}
`;

/** wrk asks for one size after the other, and for the names in turn. */
const WRK_SCRIPT = `
local paths = {}
for name = 1, ${NAMES} do
${FILES.map(({ folder, suffix }) => `  paths[#paths + 1] = "/${folder}/" .. name .. ".${suffix}"`).join('\n')}
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
    const folder = mkdtempSync(join(tmpdir(), 'ksnoop-nginx-'));
    try {
      serve(folder);
      writeFileSync(join(folder, 'wrk.lua'), WRK_SCRIPT);
      return await captureLive(path, {
        packages: { 'nginx-light': '/usr/sbin/nginx', wrk: '/usr/bin/wrk', ethtool: '/usr/sbin/ethtool' },
        server: ['nginx', '-e', 'stderr', '-c', join(folder, 'nginx.conf')],
        client: [
          ...['wrk', '-t1', `-c${CONNECTIONS}`, '-d300s', '-s', join(folder, 'wrk.lua')],
          `http://${RIGHT_ADDRESS}/`,
        ],
        filter: 'tcp port 80',
        bytes: TARGET_BYTES,
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

function serve(folder: string): void {
  const random = new Random(4);
  writeFileSync(join(folder, 'nginx.conf'), nginxConfiguration(folder));
  for (const file of FILES) {
    mkdirSync(join(folder, 'www', file.folder), { recursive: true });
    for (let name = 1; name <= NAMES; name += 1) {
      const content = Uint8Array.from({ length: file.bytes }, () => random.below(256));
      writeFileSync(join(folder, 'www', file.folder, `${name}.${file.suffix}`), content);
    }
  }
}

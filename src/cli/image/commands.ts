import { type Command, Option } from 'commander';
import { addExamples } from '../examples.ts';
import type { RawBuildOptions, RawPushOptions } from './command.ts';

/** `ksnoop image build` and `ksnoop image push`: the agents' image. */
export function addImageCommands(ksnoop: Command, setExit: (code: number) => void): void {
  const image = ksnoop
    .command('image')
    .description("build the agents' image without docker, and push it to a registry");
  image
    .command('build')
    .description('write the image as an archive that docker, kind, minikube and containerd load')
    .addOption(new Option('--arch <ARCH>', "architecture (default: this machine's)").choices(['amd64', 'arm64']))
    .option('--tag <REF>', 'name of the image (default: ksnoop-agent with a hash of its contents)')
    .option('-o, --output <FILE>', 'the archive (default: in the cache)')
    .option('--newest', 'the newest Debian packages where the pinned ones cannot be downloaded any more')
    .action(async (options: RawBuildOptions) => {
      const { buildCommand } = await import('./command.ts');
      setExit(await buildCommand(options));
    });
  image
    .command('push')
    .description('push the image of both architectures to a registry, with the credentials of docker login')
    .argument('<REF>', 'where to: registry.example/team/ksnoop-agent:1.0')
    .argument('[ARCHIVES...]', 'archives to push as one image, one for each architecture (default: they are built)')
    .option('--newest', 'as for image build')
    .option('-q, --quiet', 'print only errors')
    .action(async (reference: string, archives: string[], options: RawPushOptions) => {
      const { pushCommand } = await import('./command.ts');
      setExit(await pushCommand(reference, archives, options));
    });
  addExamples(image, [
    ['image push registry.example/team/ksnoop-agent:1.0', 'build for amd64 and arm64, and push both under one name'],
    ['image push localhost:5001/ksnoop-agent:1.0 agent.tar', "an archive, to kind's local registry"],
    ['image build --tag ksnoop-agent:1.0 -o agent.tar', 'for docker load, or kind load image-archive'],
  ]);
}

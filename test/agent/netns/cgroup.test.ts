import { expect, test } from 'vitest';
import { cgroupOwner } from '../../../src/agent/netns/cgroup.ts';

const CID = '4f1a'.repeat(16);
const UID = '0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9';
const UID_ = UID.replaceAll('-', '_');
const HASH = 'd41d8cd98f00b204e9800998ecf8427e';
const pod = (uid: string) => ({ pod: uid, container: CID });

/** Lines of /proc/PID/cgroup as kubelets with different drivers and runtimes make them. */
test.each([
  ['v1 cgroupfs, burstable', `12:pids:/kubepods/burstable/pod${UID}/${CID}\n1:name=systemd:/other`, pod(UID)],
  ['v1 cgroupfs, guaranteed: no level', `5:cpu,cpuacct:/kubepods/pod${UID}/${CID}`, pod(UID)],
  ['v1 below another root', `4:memory:/ksnoop/node1/kubepods/besteffort/pod${UID}/${CID}`, pod(UID)],
  [
    'v2 systemd, containerd',
    `0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${UID_}.slice/cri-containerd-${CID}.scope`,
    pod(UID),
  ],
  ['v2 systemd, guaranteed', `0::/kubepods.slice/kubepods-pod${UID_}.slice/cri-containerd-${CID}.scope`, pod(UID)],
  [
    'v2 seen from a cgroup namespace',
    `0::/../../kubepods-besteffort.slice/kubepods-besteffort-pod${UID_}.slice/crio-${CID}.scope`,
    pod(UID),
  ],
  [
    'CRI-O with a container directory below the scope',
    `0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${UID_}.slice/crio-${CID}.scope/container`,
    pod(UID),
  ],
  [
    'dockershim',
    `0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${UID_}.slice/docker-${CID}.scope`,
    pod(UID),
  ],
  [
    'a static pod: its config hash',
    `0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${HASH}.slice/cri-containerd-${CID}.scope`,
    pod(HASH),
  ],
  ['a path without its pod: the container alone', `0::/../cri-containerd-${CID}.scope`, pod('')],
  ['systemd of the host', '0::/system.slice/kubelet.service', undefined],
  ['a user of the host', '0::/user.slice/user-1000.slice/session-3.scope', undefined],
  ['conmon, which is no container', `0::/kubepods.slice/kubepods-pod${UID_}.slice/crio-conmon-${CID}.scope`, undefined],
  ['nothing', '', undefined],
])('%s', (_, text, owner) => {
  expect(cgroupOwner(text)).toEqual(owner);
});

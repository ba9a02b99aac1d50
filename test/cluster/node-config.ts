import { DNS_ADDRESS, type NodeLayout, PAUSE_IMAGE, POD_CIDR } from './layout.ts';

/** Configuration files of a node's daemons, all JSON but containerd's (a JSON document is a YAML document). */
export const asFile = (object: unknown) => `${JSON.stringify(object, null, 2)}\n`;

export const CONTAINERD_SOCKET = '/run/containerd/containerd.sock';

/** containerd 1.6, configuration version 2. */
export const containerdConfig = `version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
oom_score = 0

[grpc]
  address = "${CONTAINERD_SOCKET}"

[plugins."io.containerd.internal.v1.opt"]
  path = "/var/lib/containerd/opt"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  # Without CAP_SYS_RESOURCE nothing may lower an oom_score_adj, and every sandbox would fail.
  restrict_oom_score_adj = true
  disable_apparmor = true

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "/etc/cni/net.d"
`;

export const cniConfig = (node: NodeLayout) => ({
  cniVersion: '0.4.0',
  name: 'pods',
  plugins: [
    {
      type: 'bridge',
      bridge: 'cni0',
      isGateway: true,
      hairpinMode: true,
      ipMasq: false,
      ipam: { type: 'host-local', ranges: [[{ subnet: node.podCidr }]], routes: [{ dst: '0.0.0.0/0' }] },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
});

export const kubeletConfig = (node: NodeLayout) => ({
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  address: node.address,
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: true },
    x509: { clientCAFile: '/etc/kubernetes/ca.crt' },
  },
  authorization: { mode: 'Webhook' },
  tlsCertFile: '/etc/kubernetes/kubelet-serving.crt',
  tlsPrivateKeyFile: '/etc/kubernetes/kubelet-serving.key',
  clusterDomain: 'cluster.local',
  clusterDNS: [DNS_ADDRESS],
  // The cluster has no DNS above it: a pod's resolv.conf holds the cluster's own server and search path only.
  resolvConf: '/etc/kubernetes/resolv.conf',
  cgroupDriver: 'cgroupfs',
  cgroupRoot: node.cgroup,
  failCgroupV1: false,
  failSwapOn: false,
  oomScoreAdj: 0,
  containerRuntimeEndpoint: `unix://${CONTAINERD_SOCKET}`,
  volumePluginDir: '/var/lib/kubelet/volume-plugins',
  // Tests put a static pod there.
  staticPodPath: '/etc/kubernetes/manifests',
  // Images cannot be pulled again here, so none is ever thrown away, and a full disk of the machine evicts nobody.
  imageGCHighThresholdPercent: 100,
  imageGCLowThresholdPercent: 99,
  evictionHard: { 'memory.available': '50Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
});

export const kubeProxyConfig = (node: NodeLayout) => ({
  apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
  kind: 'KubeProxyConfiguration',
  mode: node.proxyMode,
  hostnameOverride: node.name,
  clusterCIDR: POD_CIDR,
  clientConnection: { kubeconfig: '/etc/kubernetes/kube-proxy.kubeconfig' },
  nodePortAddresses: [`${node.address}/32`],
  oomScoreAdj: 0,
  // The sysctls behind these are the machine's and cannot be written from another network namespace.
  conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
});

#!/bin/sh
# First process of a node: it has fresh mount, pid and uts namespaces and the node's network namespace, gives the node a
# file system of its own where daemons write, says it is ready and becomes the program that reaps.
# Environment: NODE_NAME, NODE_DATA (its directory on disk), NODE_PAUSE (the reaping program).
set -eu

hostname "$NODE_NAME"
rm -f "$NODE_DATA/ready"

# /run first: mount(8) keeps notes in /run/mount, which are not to appear on the machine.
mount -n -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/node /run/lock /run/cgroup
mount --bind "$NODE_DATA" /run/node

# A sysfs of the node's own network namespace, with the machine's cgroups.
mount --rbind /sys/fs/cgroup /run/cgroup
mount -t sysfs sysfs /sys
mount --rbind /run/cgroup /sys/fs/cgroup
umount -l /run/cgroup

# What is written to /etc and /var lands in memory, except for the directories below, which are the node's own on disk.
for directory in etc var; do
  mkdir -p "/run/overlay/$directory/upper" "/run/overlay/$directory/work"
  mount -t overlay -o "lowerdir=/$directory,upperdir=/run/overlay/$directory/upper,workdir=/run/overlay/$directory/work" overlay "/$directory"
done
for directory in /etc/kubernetes:etc /etc/cni/net.d:etc/cni /var/lib/containerd:containerd /var/lib/kubelet:kubelet \
  /var/lib/cni:cni /var/log/pods:logs/pods /var/log/containers:logs/containers; do
  point=${directory%%:*}
  source=/run/node/${directory#*:}
  mkdir -p "$point" "$source"
  mount --bind "$source" "$point"
done
echo "127.0.0.1 localhost $NODE_NAME" >/etc/hosts

# kubelet writes these for the whole machine unless they already read as it wants; here they do, and the machine keeps its own.
for setting in kernel/panic:10 kernel/panic_on_oops:1 vm/overcommit_memory:1; do
  file=/run/node/${setting##*/}
  echo "${setting#*:}" >"$file"
  mount --bind "$file" "/proc/sys/${setting%%:*}"
done

mount --make-rshared /
: >/run/node/ready
exec "$NODE_PAUSE"

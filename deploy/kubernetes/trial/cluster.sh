#!/bin/bash
# A Kubernetes on one machine whose hosts are apart as machines are: cluster.sh FOLDER up | host N | kill N | cut N | plug N | down
#
# `up` starts the control plane and a name server. `host N` adds a host: a containerd and a kubelet with processes, mounts and
# network of their own, whose pods have addresses and reach the control plane, PostgreSQL and the object store by the network alone.
# `kill N` ends all of its processes at once, and `host N` starts it again; `cut N` takes its cable out, and everything on it goes on.
# `down` removes every trace.
# Binaries and images come from binaries.sh and image.sh; etcd, containerd, runc, CNI plugins and dnsmasq from Debian. Run it as root.
set -euo pipefail

folder=$(realpath -m "${1:?expected the folder of the trial}")
what=${2:?expected up, host, kill, cut, plug or down}
number=${3:-}
state=$folder/state
lan=10.240.0             # the control plane is .1, host N is .(10 + N), its pods are 10.244.N.0/24
api=10.96.0.1            # the address that pods know the control plane by: an address of this machine, so that no proxy is needed
controllers="cpu cpuacct cpuset memory pids blkio devices freezer systemd"
export PATH=$folder/bin:$PATH

start() { # NAME PROGRAM ARGUMENT…
    local name=$1
    shift
    setsid nohup nice -n 5 "$@" > "$state/$name.log" 2>&1 &
    echo $! > "$state/$name.pid"
}

kubeconfig() { # NAME: the file with which it is known to the control plane
    cat > "$state/$1.kubeconfig" <<Y
apiVersion: v1
kind: Config
clusters: [{name: trial, cluster: {server: "https://$api", certificate-authority: "$state/pki/ca.crt"}}]
users: [{name: "$1", user: {token: "$1-$(cat "$state/pki/secret")"}}]
contexts: [{name: trial, context: {cluster: trial, user: "$1"}}]
current-context: trial
Y
}

keys() {
    mkdir -p "$state/pki"
    cd "$state/pki"
    [ -f ca.crt ] && return
    umask 077
    openssl rand -hex 16 > secret
    openssl genrsa -out sa.key 2048 2> /dev/null
    # Python 3.13 refuses an authority that does not say what its key is for.
    openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=trial -addext keyUsage=critical,keyCertSign,cRLSign \
        -keyout ca.key -out ca.crt 2> /dev/null
    openssl req -newkey rsa:2048 -nodes -subj /CN=kube-apiserver -keyout api.key -out api.csr 2> /dev/null
    openssl x509 -req -in api.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -out api.crt \
        -extfile <(echo "subjectAltName=IP:$api,IP:$lan.1,DNS:kubernetes.default.svc") 2> /dev/null
    {
        echo "admin-$(cat secret),admin,1,\"system:masters\""
        echo "manager-$(cat secret),system:kube-controller-manager,2"
        echo "scheduler-$(cat secret),system:kube-scheduler,3"
        for n in 1 2 3 4; do echo "host$n-$(cat secret),system:node:host$n,1$n,\"system:nodes\""; done
    } > tokens.csv
}

up() {
    mkdir -p "$state/etcd"
    keys
    for name in admin manager scheduler; do kubeconfig "$name"; done
    [ -f "$state/forward" ] || cat /proc/sys/net/ipv4/ip_forward > "$state/forward"
    ip link add sf-lan type bridge
    ip addr add "$lan.1/24" dev sf-lan
    ip link set sf-lan up
    ip addr add "$api/32" dev lo
    echo 1 > /proc/sys/net/ipv4/ip_forward
    start names dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --listen-address="$lan.1" --bind-interfaces \
        --pid-file= --user=root --local=/cluster.local/ --local=/svc/ --local=/fr/ \
        --address=/postgres.sf-assets.svc.cluster.local/"$lan.1" --address=/s3.example.fr/"$lan.1"
    local peer=http://127.0.0.1:23800 client=http://127.0.0.1:23790
    start etcd etcd --name trial --data-dir "$state/etcd" --listen-client-urls $client --advertise-client-urls $client \
        --listen-peer-urls $peer --initial-advertise-peer-urls $peer --initial-cluster trial=$peer
    start api kube-apiserver --etcd-servers=$client --bind-address="$api" --secure-port=443 --advertise-address="$lan.1" \
        --tls-cert-file="$state/pki/api.crt" --tls-private-key-file="$state/pki/api.key" --endpoint-reconciler-type=none \
        --service-cluster-ip-range=10.96.0.0/24 --service-account-issuer=https://kubernetes.default.svc \
        --service-account-key-file="$state/pki/sa.key" --service-account-signing-key-file="$state/pki/sa.key" \
        --token-auth-file="$state/pki/tokens.csv" --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction \
        --kubelet-preferred-address-types=InternalIP
    export KUBECONFIG=$state/admin.kubeconfig
    for _ in $(seq 120); do kubectl get --raw /readyz > /dev/null 2>&1 && break; sleep 1; done
    kubectl get --raw /readyz
    start manager kube-controller-manager --kubeconfig="$state/manager.kubeconfig" --leader-elect=false --bind-address=127.0.0.1 \
        --use-service-account-credentials --service-account-private-key-file="$state/pki/sa.key" --root-ca-file="$state/pki/ca.crt"
    start scheduler kube-scheduler --kubeconfig="$state/scheduler.kubeconfig" --leader-elect=false --bind-address=127.0.0.1
}

host() {
    local name=host$number place=$state/host$number
    kubeconfig "$name"
    mkdir -p "$place"/{cni,log,containerd,kubelet}
    if [ ! -e "/run/netns/sf-$name" ]; then # otherwise it starts again after `kill`
        ip netns add "sf-$name"
        ip link add "sf-$name" type veth peer name eth0 netns "sf-$name"
        ip link set "sf-$name" master sf-lan up
        ip -n "sf-$name" link set lo up
        ip -n "sf-$name" addr add "$lan.$((10 + number))/24" dev eth0
        ip -n "sf-$name" link set eth0 up
        ip -n "sf-$name" route add default via "$lan.1"
        ip route add "10.244.$number.0/24" via "$lan.$((10 + number))"
    fi
    cat > "$place/cni/pods.conflist" <<J
{"cniVersion": "0.4.0", "name": "pods", "plugins": [{"type": "bridge", "bridge": "cni0", "isGateway": true,
 "ipam": {"type": "host-local", "dataDir": "/run/cni", "ranges": [[{"subnet": "10.244.$number.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
J
    cat > "$place/containerd.toml" <<T
version = 2
root = "$place/containerd"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "sf.test/pause:1"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$place/cni"
[plugins."io.containerd.internal.v1.opt"]
  path = "$place/opt"
T
    cat > "$place/kubelet.yaml" <<Y
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
cgroupDriver: cgroupfs
cgroupRoot: /sf-$name
clusterDNS: [$lan.1]
clusterDomain: cluster.local
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
failSwapOn: false
resolvConf: ""
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}
imageGCHighThresholdPercent: 100
Y
    cat > "$place/init.sh" <<S
# The first process of the host: what it starts ends with it.
hostname $name
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mount --bind $place/log /var/log
mount --make-rshared /
echo 1 > /proc/sys/net/ipv4/ip_forward
containerd --config $place/containerd.toml > $state/containerd$number.log 2>&1 &
for _ in \$(seq 60); do [ -S /run/containerd/containerd.sock ] && break; sleep 1; done
for image in pause sf-assets; do
    [ -f $place/\$image ] || { ctr --namespace k8s.io images import $folder/images/\$image.tar && touch $place/\$image; }
done
kubelet --config=$place/kubelet.yaml --kubeconfig=$state/$name.kubeconfig --root-dir=$place/kubelet --cert-dir=$place/pki --node-ip=$lan.$((10 + number)) &
while true; do wait -n || sleep 1; done
S
    for controller in $controllers; do mkdir -p "/sys/fs/cgroup/$controller/sf-$name"; done
    for file in cpus mems; do cat "/sys/fs/cgroup/cpuset/cpuset.$file" > "/sys/fs/cgroup/cpuset/sf-$name/cpuset.$file"; done
    # The share of a machine with these cores, not that of one process.
    echo $((1024 * $(nproc))) > "/sys/fs/cgroup/cpu/sf-$name/cpu.shares"
    start "$name" nsenter --net="/run/netns/sf-$name" \
        unshare --mount --uts --ipc --pid --fork --kill-child --mount-proc bash "$place/init.sh"
}

# Ends the first process of a host, and with it all others; what the kernel knows of its network stays for `plug`.
end() { # NAME
    [ -f "$state/$1.pid" ] || return 0
    kill -KILL "$(cat "$state/$1.pid")" 2> /dev/null || true
    rm "$state/$1.pid"
}

down() {
    local one
    for one in "$state"/host*.pid; do [ -f "$one" ] && end "$(basename "$one" .pid)"; done
    for one in "$state"/*.pid; do [ -f "$one" ] && { kill "$(cat "$one")" 2> /dev/null || true; rm "$one"; }; done
    sleep 3
    for one in /run/netns/sf-host*; do [ -e "$one" ] && { ip link del "$(basename "$one")" || true; ip netns del "$(basename "$one")"; }; done
    ip link del sf-lan 2> /dev/null || true
    ip addr del "$api/32" dev lo 2> /dev/null || true
    [ -f "$state/forward" ] && cat "$state/forward" > /proc/sys/net/ipv4/ip_forward
    for one in /sys/fs/cgroup/*/sf-host*; do [ -d "$one" ] && find "$one" -depth -type d -exec rmdir {} +; done
    rm -rf "$state"
}

mkdir -p "$state"
case $what in
    up) up ;;
    host) host ;;
    kill) end "host$number" ;;
    cut) ip link set "sf-host$number" down ;;
    plug) ip link set "sf-host$number" up ;;
    down) down ;;
    *) echo "expected up, host, kill, cut, plug or down, found $what" >&2; exit 1 ;;
esac

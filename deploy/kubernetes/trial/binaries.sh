#!/bin/bash
# Builds Kubernetes from its Go modules, for machines that reach no download of binaries: binaries.sh FOLDER
#
# About an hour of two cores, once. It needs Go as new as go.mod of that version asks for, and writes FOLDER/bin.
set -euo pipefail

version=1.34.4
bin=$(realpath -m "${1:?expected the folder of the trial}")/bin
mkdir -p "$bin"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# Kubernetes replaces its own modules by folders that the published module does not have; each is published under its name as well.
go mod init example.test/kubernetes
go mod edit -require="k8s.io/kubernetes@v$version"
published=$(go mod download -json "k8s.io/kubernetes@v$version" | sed -n 's/.*"GoMod": "\(.*\)".*/\1/p')
sed -n 's/^\s*\(k8s.io\/[a-z0-9-]*\) => .\/staging.*/\1/p' "$published" | while read -r module; do
    go mod edit -replace="$module=$module@v0.${version#1.}"
done

names=k8s.io/component-base/version
flags="-s -w -X $names.gitVersion=v$version -X $names.gitMajor=1 -X $names.gitMinor=$(cut -d. -f2 <<< "$version")"
for program in kube-apiserver kube-controller-manager kube-scheduler kubelet; do
    [ -x "$bin/$program" ] && continue
    CGO_ENABLED=0 nice -n 15 go build -mod=mod -trimpath -ldflags "$flags" -o "$bin/$program" "k8s.io/kubernetes/cmd/$program"
    echo "$program: built"
done

# The program that keeps the namespaces of a pod while its containers come and go.
mkdir pause
cat > pause/main.go <<'GO'
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGINT, syscall.SIGTERM)
	<-end
}
GO
(cd pause && go mod init example.test/pause && CGO_ENABLED=0 go build -ldflags '-s -w' -o "$bin/pause" .)

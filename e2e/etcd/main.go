// Command etcd is etcd's own server, of the version that Berth embeds: the tests of external clusters run it beside the older one of the system.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }

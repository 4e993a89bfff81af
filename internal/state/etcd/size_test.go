package etcd

import "testing"

func TestSize(t *testing.T) {
	b := openTest(t, Config{Dir: t.TempDir()})
	before, _, ok := b.Size()
	if !ok {
		t.Fatal("an embedded server has a size")
	}
	term := lead(t, b)
	for n := range 8 {
		commit(t, term, uint64(n+1), put("large", 1<<20))
	}
	b.server.etcd.Server.Backend().ForceCommit() // else it is counted a moment later
	size, used, _ := b.Size()
	if size < before+4<<20 || used < 4<<20 || used > size {
		t.Errorf("%d bytes, %d of them in use, after 8 MiB", size, used)
	}
}

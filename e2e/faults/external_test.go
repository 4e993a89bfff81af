package faults

import (
	"math/rand/v2"
	"testing"
	"time"

	"berth/e2e/site"
)

// TestExternal is three replicas on a cluster of three etcd programs, all on machines of their own, with what may happen to either.
func TestExternal(t *testing.T) {
	for name, program := range map[string]func(testing.TB) string{"the system's etcd": site.SystemEtcd, "etcd as Berth embeds it": site.OwnEtcd} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			network := site.NewNetwork(t, 6)
			var disks []*site.Disk
			var data []string
			for range 3 {
				disks = append(disks, site.NewDisk(t, 512))
				data = append(data, disks[len(disks)-1].Dir)
			}
			etcd := site.NewEtcd(t, program(t), network, 4, data...)
			endure(site.OnEtcd(t, 3, network, etcd), 1, []fault{
				{"the leader is cut off from etcd", func(s *site.Site) { leaderWithoutEtcd(s, etcd) }},
				{"the leader stands still", leaderPaused},
				{"the leader is killed", leaderKilled},
				{"one etcd after the other is killed", func(s *site.Site) { eachEtcdKilled(s, etcd) }},
				{"etcds are cut off", func(s *site.Site) { eachEtcdCutOff(s, etcd) }},
				{"etcds' disks are slow and stand still", func(s *site.Site) { eachDiskStandsStill(s, etcd, disks) }},
				{"etcds' disks fail", func(s *site.Site) { eachDiskFails(s, etcd, disks) }},
				{"one etcd's disk is full", func(s *site.Site) { diskFull(s, etcd, disks[0]) }},
			})
		})
	}
}

// leaderWithoutEtcd lets the leader still reach the other replicas, and so whoever leads after it.
func leaderWithoutEtcd(s *site.Site, etcd *site.Etcd) {
	leader := s.Leader()
	for _, m := range etcd.Members {
		s.Network.Cut(leader.Machine, m.Machine)
	}
	goOn(s, s.Without(leader))
	leader.WaitUnready()
	s.Network.Heal()
}

// eachEtcdKilled takes etcd's leader too.
func eachEtcdKilled(s *site.Site, etcd *site.Etcd) {
	for _, m := range etcd.Members {
		m.Kill()
		writable(s)
		m.Start()
		etcd.WaitReady()
	}
}

// eachEtcdCutOff separates one etcd after the other from everybody.
func eachEtcdCutOff(s *site.Site, etcd *site.Etcd) {
	for _, i := range chosen(len(etcd.Members)) {
		m := etcd.Members[i]
		others := machines(s.Members)
		for _, x := range etcd.Members {
			if x != m {
				others = append(others, x.Machine)
			}
		}
		s.Network.Cut(m.Machine, others...)
		writable(s)
		s.Network.Heal()
		etcd.WaitReady()
	}
}

// writable waits until all replicas take writes, and a while longer.
func writable(s *site.Site) {
	s.T.Helper()
	for _, r := range s.Members {
		r.WaitWritable()
	}
	time.Sleep(apart)
}

// chosen are the members that a fault meets one after the other: all in a soak, and one of them in the short form of the test.
func chosen(of int) []int {
	order := rand.Perm(of)
	if site.Soak() > 0 {
		return order
	}
	return order[:1]
}

func eachDiskStandsStill(s *site.Site, etcd *site.Etcd, disks []*site.Disk) {
	for _, i := range chosen(len(disks)) {
		d := disks[i]
		end := d.Slow(200 * time.Millisecond)
		writable(s)
		end()
		d.Freeze()
		writable(s)
		d.Thaw()
		etcd.WaitReady()
	}
}

// eachDiskFails: etcd ends itself, and is started again when its disk is back, with what had been flushed.
func eachDiskFails(s *site.Site, etcd *site.Etcd, disks []*site.Disk) {
	for _, i := range chosen(len(disks)) {
		m := etcd.Members[i]
		disks[i].Break()
		m.WaitEnded()
		writable(s)
		disks[i].Repair()
		m.Start()
		etcd.WaitReady()
	}
}

// diskFull: an etcd that needs more space than there is ends itself; one that does not yet goes on.
func diskFull(s *site.Site, etcd *site.Etcd, d *site.Disk) {
	d.Fill(0)
	writable(s)
	d.Empty()
	etcd.Members[0].Kill()
	etcd.Members[0].Start()
	etcd.WaitReady()
}

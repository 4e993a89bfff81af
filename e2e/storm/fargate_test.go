package storm

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// Tasks of 256 CPU units and 512 MiB, and how many a member of the usual size has room for.
const (
	fargateTasks  = 10_000
	tasksOfMember = 64
	fargateZones  = 3
)

// BenchmarkFargate starts the tasks of one service on Fargate, from an empty pool: the server's instance provider launches members, each by a process of its own
// that asks a third process to host it.
func BenchmarkFargate(b *testing.B) {
	for range b.N {
		program := programOf(b)
		socket := filepath.Join(b.TempDir(), "pool.sock")
		s := startServer(b, "--pool-provider", program+",simulate,member,--pool,"+socket)
		p := s.servePool(socket)
		r := s.simulate("--fargate", "--tasks", strconv.Itoa(fargateTasks), "--task-cpu", "256", "--task-memory", "512")
		b.ReportMetric(r.Phases[0].Took.Seconds(), "running-s")
		b.ReportMetric(float64(r.Phases[0].API.P99.Milliseconds()), "api-p99-ms")
		b.ReportMetric(s.cpu().Seconds(), "server-cpu-s")
		b.ReportMetric(s.status("VmHWM")/1024, "peak-MiB")
		members, tasks := s.pool()
		if each := (fargateTasks/fargateZones + tasksOfMember) / tasksOfMember; members > each*fargateZones || tasks != fargateTasks {
			b.Errorf("%d members have %d tasks, want at most %d members", members, tasks, each*fargateZones)
		}
		b.ReportMetric(float64(members), "members")
		end(p)
		s.kill()
	}
}

// servePool starts the process that hosts members, and waits until it serves.
func (s *server) servePool(socket string) *exec.Cmd {
	s.b.Helper()
	p := exec.Command(s.program, "simulate", "--data", s.data, "--pool", socket, "--telemetry=false")
	if err := p.Start(); err != nil {
		s.b.Fatal(err)
	}
	s.b.Cleanup(func() { end(p) })
	for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("unix", socket); err == nil {
			c.Close() //nolint:errcheck // that it answers is all
			return p
		}
	}
	s.b.Fatal("nobody serves the pool")
	return nil
}

// end kills a process and waits for it; it may have been killed before.
func end(p *exec.Cmd) {
	p.Process.Signal(os.Kill) //nolint:errcheck // it may have ended
	p.Wait()                  //nolint:errcheck // it was killed
}

// pool is how many members the pool has, and how many tasks they have.
func (s *server) pool() (members, tasks int) {
	s.b.Helper()
	out, err := exec.Command(s.program, "fargate", "status", "--data", s.data, "--output", "json").Output()
	if err != nil {
		s.b.Fatal(err)
	}
	var status struct{ Members []struct{ Tasks int } }
	if err := json.Unmarshal(out, &status); err != nil {
		s.b.Fatal(err)
	}
	for _, m := range status.Members {
		tasks += m.Tasks
	}
	return len(status.Members), tasks
}

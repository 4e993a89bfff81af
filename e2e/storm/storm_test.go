// Package storm measures how the control plane carries large fleets: a real berth server, and a fleet of simulated container instances in
// another process on the same machine.
package storm

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"berth/e2e/site"
)

var (
	picture = flag.String("picture", "", "write the curve of BenchmarkCurve to this SVG file")
	given   = flag.String("berth", "", "the program to run; \"\" builds it")
)

func TestMain(m *testing.M) { os.Exit(site.Main(m, 0)) }

// server is a real server with a data directory of its own.
type server struct {
	b       testing.TB
	program string
	data    string
	listen  string
	flags   []string
	process *exec.Cmd
}

// programOf is the program to run.
func programOf(b testing.TB) string {
	b.Helper()
	if *given == "" {
		return site.Berth(b)
	}
	path, err := filepath.Abs(*given)
	if err != nil {
		b.Fatal(err)
	}
	return path
}

func startServer(b testing.TB, flags ...string) *server {
	b.Helper()
	path := programOf(b)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := &server{b: b, program: path, data: b.TempDir(), listen: l.Addr().String(), flags: flags}
	l.Close() //nolint:errcheck // only its number was wanted
	in, err := json.Marshal(map[string]any{"Listen": s.listen, "Account": "000000000000", "Region": "us-east-1"})
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.data, "berth.json"), in, 0o600); err != nil {
		b.Fatal(err)
	}
	s.start()
	b.Cleanup(s.kill)
	return s
}

func (s *server) start() {
	s.b.Helper()
	s.process = exec.Command(s.program, append([]string{"server", "--data", s.data, "--listen", s.listen, "--tasks-per-service", "1000000"}, s.flags...)...)
	log, err := os.OpenFile(filepath.Join(s.data, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		s.b.Fatal(err)
	}
	defer log.Close()
	s.process.Stderr = log
	if err := s.process.Start(); err != nil {
		s.b.Fatal(err)
	}
	s.ready()
}

func (s *server) kill() {
	s.process.Process.Kill() //nolint:errcheck // it may have ended
	s.process.Wait()         //nolint:errcheck // it was killed
}

// ready waits until the server answers reads.
func (s *server) ready() {
	s.b.Helper()
	for until := time.Now().Add(2 * time.Minute); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get("http://" + s.listen + "/readyz")
		if err != nil {
			continue
		}
		resp.Body.Close() //nolint:errcheck // its status is all
		if resp.StatusCode == http.StatusOK {
			return
		}
	}
	s.b.Fatal("the server never became ready")
}

// status reads a number of the server's /proc/PID/status, in KiB.
func (s *server) status(name string) (kib float64) { return status(s.process.Process, name) }

func status(p *os.Process, name string) (kib float64) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if v, ok := strings.CutPrefix(line, name+":"); ok {
			kib, _ = strconv.ParseFloat(strings.Fields(v)[0], 64)
		}
	}
	return kib
}

// cpu is the processor time that the server has used.
func (s *server) cpu() time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.process.Process.Pid))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// summary is what berth simulate tells.
type summary struct {
	Phases []struct {
		Name    string
		Tasks   int
		Took    time.Duration
		PerTask struct{ P50, P99 time.Duration }
		API     struct{ P50, P99 time.Duration }
	}
	Churn            []interval
	Errors, Repeated int
}

// simulate runs a fleet to its end.
func (s *server) simulate(args ...string) summary {
	s.b.Helper()
	return s.simulateFrom(func() {}, args...)
}

// simulateFrom calls connected when all instances have their sessions and the work begins.
func (s *server) simulateFrom(connected func(), args ...string) summary {
	s.b.Helper()
	return s.simulateWithin(15*time.Minute, func(line string, _ *os.Process) {
		if strings.Contains(line, "sessions open") {
			connected()
		}
	}, args...)
}

// simulateWithin calls told for every line that the fleet says.
func (s *server) simulateWithin(limit time.Duration, told func(line string, fleet *os.Process), args ...string) summary {
	s.b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.program, append([]string{"simulate", "--data", s.data, "--output", "json"}, args...)...)
	progress := &watcher{}
	progress.each = func(line string) { told(line, cmd.Process) }
	cmd.Stderr = progress
	out, err := cmd.Output()
	if err != nil {
		s.b.Fatalf("simulate: %v\n%s", err, progress.text)
	}
	var r summary
	if err := json.Unmarshal(out, &r); err != nil {
		s.b.Fatal(err)
	}
	return r
}

// watcher keeps what is written, and calls each for every line of it.
type watcher struct {
	each func(line string)
	text []byte
	told int // bytes of text
}

func (w *watcher) Write(p []byte) (int, error) {
	w.text = append(w.text, p...)
	for {
		n := bytes.IndexByte(w.text[w.told:], '\n')
		if n < 0 {
			return len(p), nil
		}
		line := string(w.text[w.told : w.told+n])
		w.told += n + 1
		w.each(line)
	}
}

// size is one fleet with its tasks.
type size struct{ tasks, instances int }

func (z size) String() string { return fmt.Sprintf("%dtasks/%dinstances", z.tasks, z.instances) }

// flags make instances that are large enough for their tasks twice.
func (z size) flags() []string {
	each := 2*z.tasks/z.instances + 10
	return []string{
		"--tasks", strconv.Itoa(z.tasks), "--instances", strconv.Itoa(z.instances), "--task-cpu", "10", "--task-memory", "16",
		"--instance-cpu", strconv.Itoa(10 * each), "--instance-memory", strconv.Itoa(16 * each),
	}
}

// BenchmarkStorm starts the tasks of one service, rolls it to another definition, and deletes it.
func BenchmarkStorm(b *testing.B) {
	for _, z := range []size{{10_000, 100}, {100_000, 1000}} {
		b.Run(z.String(), func(b *testing.B) {
			for range b.N {
				s := startServer(b)
				r := s.simulate(append(z.flags(), "--update", "--delete")...)
				for _, p := range r.Phases {
					b.ReportMetric(p.Took.Seconds(), p.Name+"-s")
					b.ReportMetric(float64(p.API.P99.Milliseconds()), p.Name+"-api-p99-ms")
				}
				b.ReportMetric(s.status("VmHWM")/1024, "peak-MiB")
				if r.Errors > 0 || r.Repeated > 0 {
					b.Errorf("%d errors, %d tasks told twice", r.Errors, r.Repeated)
				}
				s.kill()
			}
		})
	}
}

// BenchmarkCurve shows that a task costs the same however many tasks and instances there are: the server's processor time for each.
func BenchmarkCurve(b *testing.B) {
	var points []point
	for _, z := range []size{
		{1000, 100}, {3000, 100}, {10_000, 100}, {30_000, 100}, {100_000, 100},
		{10_000, 10}, {10_000, 30}, {10_000, 300}, {10_000, 1000}, {100_000, 1000},
	} {
		b.Run(z.String(), func(b *testing.B) {
			for range b.N {
				s := startServer(b)
				var before time.Duration
				r := s.simulateFrom(func() { before = s.cpu() }, append(z.flags(), "--telemetry=false")...)
				each := float64((s.cpu() - before).Microseconds()) / float64(z.tasks)
				b.ReportMetric(float64(z.tasks)/r.Phases[0].Took.Seconds(), "tasks/s")
				b.ReportMetric(each, "us-cpu/task")
				b.ReportMetric(s.status("VmHWM")/1024, "peak-MiB")
				points = append(points, point{z, each, s.status("VmHWM") / 1024})
				s.kill()
			}
		})
	}
	if *picture != "" {
		if err := os.WriteFile(*picture, []byte(draw(points)), 0o644); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkIdle measures a cluster of 100,000 tasks that does nothing, with and without telemetry, and a restart of its server.
func BenchmarkIdle(b *testing.B) {
	z := size{100_000, 1000}
	for _, telemetry := range []string{"false", "true"} {
		b.Run("telemetry="+telemetry, func(b *testing.B) {
			for range b.N {
				s := startServer(b)
				done := make(chan summary, 1)
				go func() { done <- s.simulate(append(z.flags(), "--telemetry="+telemetry, "--stay", "75s")...) }()
				s.settle()
				const window = 30 * time.Second
				before := s.cpu()
				time.Sleep(window)
				b.ReportMetric(100*float64(s.cpu()-before)/float64(window), "%core")
				b.ReportMetric(s.status("VmRSS")/1024, "MiB")
				s.kill()
				began := time.Now()
				s.start()
				b.ReportMetric(time.Since(began).Seconds(), "restart-s")
				<-done
				s.kill()
			}
		})
	}
}

// settle waits until the server has worked, and then works little for a while.
func (s *server) settle() {
	for quiet := 0; quiet < 10; {
		before := s.cpu()
		time.Sleep(time.Second)
		if s.cpu()-before < 400*time.Millisecond && s.cpu() > 10*time.Second {
			quiet++
		} else {
			quiet = 0
		}
	}
}

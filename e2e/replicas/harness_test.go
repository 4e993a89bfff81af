// Package replicas drives several real berth servers on loopback, as three machines would run them: it kills, stops, drains and restarts them
// under writers, and looks whether everything that was acknowledged is there.
package replicas

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
)

// patience is how long anything may take. How long it should take, the benchmarks say.
const patience = 30 * time.Second

// site is an installation of several replicas.
type site struct {
	t       testing.TB
	members []*replica
	keyID   string
	secret  string
}

// replica is one machine's server.
type replica struct {
	t            testing.TB
	data, listen string
	flags        []string // that every start needs
	log          *os.File
	process      *exec.Cmd
	ended        chan struct{} // closed when the process is
	client       *awsecs.Client
}

// program is built once for all tests.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "replicas")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	program = filepath.Join(dir, "berth")
	cmd := exec.Command("go", "build", "-o", program, "../../cmd/berth")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	code := 1
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
	} else {
		code = m.Run()
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

// ports returns two free ports, one after the other: a replica's and its peers'.
func ports(t testing.TB) (listen, peer string) {
	t.Helper()
	for range 100 {
		a, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		b, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		a.Close()
		b.Close()
		if a.Addr().String() != b.Addr().String() {
			return a.Addr().String(), b.Addr().String()
		}
	}
	t.Fatal("no free ports")
	return "", ""
}

// embedded starts three replicas that keep the state among themselves.
func embedded(t testing.TB) *site {
	t.Helper()
	s := &site{t: t}
	first := s.add()
	first.start("--cluster-init", "--peer-listen", first.peer())
	first.waitReady()
	s.credentials()
	for range 2 {
		s.join()
	}
	return s
}

// join adds a replica with a token that another one makes.
func (s *site) join() *replica {
	s.t.Helper()
	from := s.members[len(s.members)-1]
	token := from.run("server", "members", "token")
	r := s.add()
	r.start("--join", "https://"+from.listen, "--token", strings.TrimSpace(token), "--peer-listen", r.peer())
	r.waitReady()
	return r
}

func (s *site) add() *replica {
	s.t.Helper()
	listen, _ := ports(s.t)
	r := &replica{t: s.t, data: s.t.TempDir(), listen: listen}
	log, err := os.Create(filepath.Join(r.data, "log"))
	if err != nil {
		s.t.Fatal(err)
	}
	r.log = log
	s.members = append(s.members, r)
	s.t.Cleanup(func() {
		r.signal(syscall.SIGCONT)
		r.kill()
		r.log.Close()
		if s.t.Failed() {
			b, _ := os.ReadFile(r.log.Name())
			s.t.Logf("== %s\n%s", r.listen, tail(b, 6000))
		}
	})
	return r
}

func tail(b []byte, n int) []byte { return b[max(0, len(b)-n):] }

// credentials reads the administrator's key and makes clients, which try once.
func (s *site) credentials() {
	s.t.Helper()
	var key struct{ AccessKeyID, SecretAccessKey string }
	b, err := os.ReadFile(filepath.Join(s.members[0].data, "credentials.json"))
	if err == nil {
		err = json.Unmarshal(b, &key)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.keyID, s.secret = key.AccessKeyID, key.SecretAccessKey
}

func (s *site) client(r *replica) *awsecs.Client {
	if r.client == nil {
		r.client = awsecs.New(awsecs.Options{
			Region: "us-east-1", BaseEndpoint: aws.String("http://" + r.listen), RetryMaxAttempts: 1,
			Credentials: credentials.NewStaticCredentialsProvider(s.keyID, s.secret, ""),
			HTTPClient:  &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 16}},
		})
	}
	return r.client
}

// peer is a free address, for flags.
func (r *replica) peer() string { p, _ := ports(r.t); return p }

// start runs the server. A member of a cluster needs no flags but its data directory, after the first time.
func (r *replica) start(flags ...string) {
	r.t.Helper()
	args := append(append([]string{"server", "--data", r.data}, r.flags...), flags...)
	if len(flags)+len(r.flags) > 0 {
		args = append(args, "--listen", r.listen)
	}
	r.process = exec.Command(program, args...)
	r.process.Stdout, r.process.Stderr = r.log, r.log
	if err := r.process.Start(); err != nil {
		r.t.Fatal(err)
	}
	ended, process := make(chan struct{}), r.process
	r.ended = ended
	go func() {
		_ = process.Wait() // the signal that ended it
		close(ended)
	}()
}

func (r *replica) signal(s syscall.Signal) {
	if r.process != nil {
		_ = r.process.Process.Signal(s) // it may have ended
	}
}

// kill ends the process without a word.
func (r *replica) kill() {
	if r.process == nil {
		return
	}
	r.signal(syscall.SIGKILL)
	<-r.ended
}

// run is a command of the replica's machine.
func (r *replica) run(args ...string) string {
	r.t.Helper()
	out, err := r.try(args...)
	if err != nil {
		r.t.Fatalf("berth %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (r *replica) try(args ...string) (string, error) {
	var out bytes.Buffer
	cmd := exec.Command(program, append(args, "--data", r.data)...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

func (r *replica) get(path string) (int, string) {
	client := http.Client{Timeout: 5 * time.Second}
	resp, err := client.Get("http://" + r.listen + path)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	_, _ = b.ReadFrom(resp.Body) // what there is
	return resp.StatusCode, b.String()
}

func (r *replica) waitReady() {
	r.t.Helper()
	eventually(r.t, r.listen+" is ready", func() error {
		code, text := r.get("/readyz")
		if code != http.StatusOK {
			return errors.New(text)
		}
		return nil
	})
}

func eventually(t testing.TB, what string, is func() error) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		err := is()
		if err == nil {
			return
		}
		if time.Since(began) > patience {
			t.Fatalf("not within %v: %s: %v", patience, what, err)
		}
	}
}

// member is what `berth server members list` says.
type member struct{ ID, Name, Role, Address string }

func (r *replica) list() []member {
	r.t.Helper()
	var out struct{ Members []member }
	if err := json.Unmarshal([]byte(r.run("server", "members", "list", "--output", "json")), &out); err != nil {
		r.t.Fatal(err)
	}
	return out.Members
}

// leader finds the replica whose readiness says that it leads.
func (s *site) leader() *replica {
	s.t.Helper()
	var found *replica
	eventually(s.t, "one replica leads", func() error {
		found = nil
		for _, r := range s.members {
			code, text := r.get("/readyz")
			if code != http.StatusOK || !strings.Contains(text, "ok leader") {
				continue
			}
			if found != nil {
				return fmt.Errorf("%s and %s lead", found.listen, r.listen)
			}
			found = r
		}
		if found == nil {
			return errors.New("none does")
		}
		return nil
	})
	return found
}

func (s *site) without(r *replica) (rest []*replica) {
	for _, x := range s.members {
		if x != r {
			rest = append(rest, x)
		}
	}
	return rest
}

// write makes one cluster through a replica.
func (s *site) write(ctx context.Context, r *replica, name string) error {
	_, err := s.client(r).CreateCluster(ctx, &awsecs.CreateClusterInput{ClusterName: &name})
	return err
}

// firstWrite is how long it takes from began until a write that is begun now succeeds, through any of the replicas.
func (s *site) firstWrite(began time.Time, through []*replica, name string) time.Duration {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	done := make(chan time.Duration, len(through))
	var tries sync.WaitGroup
	for i, r := range through {
		tries.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if s.write(ctx, r, fmt.Sprintf("%s-%d-%d", name, i, n)) == nil {
					done <- time.Since(began)
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
	var took time.Duration
	select {
	case took = <-done:
	case <-ctx.Done():
		s.t.Fatalf("no write within %v", patience)
	}
	cancel()
	tries.Wait()
	return took
}

// writers write through every replica until they are stopped, whatever happens, and remember what was acknowledged.
type writers struct {
	mu    sync.Mutex
	acked []string
	fails int
	last  string
	stop  context.CancelFunc
	all   sync.WaitGroup
}

func (s *site) startWriters(prefix string) *writers {
	ctx, cancel := context.WithCancel(context.Background())
	w := &writers{stop: cancel}
	for i, r := range s.members {
		s.client(r)
		w.all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				name := fmt.Sprintf("%s-%d-%d", prefix, i, n)
				w.note(name, s.write(context.Background(), r, name))
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
	s.t.Cleanup(w.end)
	return w
}

func (w *writers) note(name string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		w.acked = append(w.acked, name)
	} else {
		w.fails++
		w.last = err.Error()
	}
}

func (w *writers) end() {
	w.stop()
	w.all.Wait()
}

// check stops the writers and looks, through every replica, for all that was acknowledged.
func (w *writers) check(s *site) {
	s.t.Helper()
	w.end()
	for _, r := range s.members {
		have := s.clusters(r)
		lost := 0
		for _, name := range w.acked {
			if !have[name] {
				lost++
			}
		}
		if lost > 0 {
			s.t.Errorf("%s: %d of %d acknowledged writes are lost", r.listen, lost, len(w.acked))
		}
	}
	s.t.Logf("%d writes acknowledged, %d not (the last: %.200s)", len(w.acked), w.fails, w.last)
	if len(w.acked) < 20 {
		s.t.Errorf("only %d writes were acknowledged", len(w.acked))
	}
}

// clusters lists the names of all clusters, through one replica.
func (s *site) clusters(r *replica) map[string]bool {
	s.t.Helper()
	have := map[string]bool{}
	pages := awsecs.NewListClustersPaginator(s.client(r), &awsecs.ListClustersInput{MaxResults: aws.Int32(100)})
	for pages.HasMorePages() {
		// Tried again, as anybody's client does: the SDK may close a request's body a moment too soon, which costs it the connection.
		page, err := pages.NextPage(context.Background(), func(o *awsecs.Options) { o.RetryMaxAttempts = 5 })
		if err != nil {
			s.t.Fatalf("list clusters through %s: %v", r.listen, err)
		}
		for _, arn := range page.ClusterArns {
			have[arn[strings.LastIndexByte(arn, '/')+1:]] = true
		}
	}
	return have
}

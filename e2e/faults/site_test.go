package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
)

// patience is how long anything may take.
const patience = 60 * time.Second

// soak makes the faults go on, in any order, for so long.
var soak = flag.Duration("soak", 0, "go on with faults, chosen at random, for so long; and wait for what takes minutes")

// programs is where the tests' binaries are; program is the server's.
var programs, program string

func TestMain(m *testing.M) {
	if task := os.Getenv(guardEnv); task != "" {
		guard(task)
		return
	}
	os.Exit(guardedMain(m))
}

func guardedMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "faults")
	if err == nil {
		var end func()
		if end, err = guarded(dir); err == nil {
			defer end()
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	flag.Parse()
	if err := os.Setenv("TMPDIR", dir); err != nil { // what tests make is there too
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := flag.Set("test.parallel", "3"); err != nil { // all of them at once: they wait more than they work
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	programs, program = dir, filepath.Join(dir, "berth")
	if err := build(program); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// build makes a berth of this tree.
func build(to string, flags ...string) error {
	cmd := exec.Command("go", append(append([]string{"build", "-o", to}, flags...), "../../cmd/berth")...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	return nil
}

// site is an installation, each replica of which has a machine of its own on the network.
type site struct {
	t       testing.TB
	network *network
	members []*replica
	keyID   string
	secret  string
}

// replica is one machine's server.
type replica struct {
	t       testing.TB
	site    *site
	machine int
	program string
	data    string
	log     *os.File
	process *exec.Cmd
	ended   chan struct{} // closed when the process is
}

// open makes an installation of size replicas, each of which is ready.
func open(t testing.TB, size int) *site {
	t.Helper()
	s := &site{t: t, network: newNetwork(t, size)}
	first := s.add(1)
	if size == 1 {
		first.start("--listen", first.listen())
		first.waitReady()
		s.credentials()
		return s
	}
	first.start("--listen", first.listen(), "--cluster-init")
	first.waitReady()
	s.credentials()
	for m := 2; m <= size; m++ {
		token := strings.TrimSpace(first.run("server", "members", "token"))
		r := s.add(m)
		r.start("--listen", r.listen(), "--join", "https://"+first.listen(), "--token", token)
		r.waitReady()
	}
	return s
}

func (s *site) add(machine int) *replica {
	s.t.Helper()
	r := &replica{t: s.t, site: s, machine: machine, program: program, data: s.t.TempDir()}
	log, err := os.Create(filepath.Join(r.data, "log"))
	if err != nil {
		s.t.Fatal(err)
	}
	r.log = log
	s.members = append(s.members, r)
	s.t.Cleanup(func() {
		r.kill()
		r.log.Close()
		if s.t.Failed() {
			b, _ := os.ReadFile(r.log.Name())
			s.t.Logf("== machine %d\n%s", r.machine, b[max(0, len(b)-5000):])
		}
	})
	return r
}

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

func (r *replica) listen() string { return r.site.network.address(r.machine) + ":3270" }

func (r *replica) String() string { return fmt.Sprintf("machine %d", r.machine) }

// client is one that tries once, and waits longer than a leader is paused: what the leader answers when it goes on must be true as well.
func (r *replica) client() *awsecs.Client {
	return awsecs.New(awsecs.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("http://" + r.listen()), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(r.site.keyID, r.site.secret, ""),
		HTTPClient:  &http.Client{Timeout: 12 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 16}},
	})
}

// start runs the server on its machine. A member needs no flags but its data directory, after the first time.
func (r *replica) start(flags ...string) {
	r.t.Helper()
	args := append([]string{"netns", "exec", r.site.network.machine(r.machine), r.program, "server", "--data", r.data}, flags...)
	r.process = exec.Command("ip", args...) // which becomes the server
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

func (r *replica) signal(s syscall.Signal) { _ = r.process.Process.Signal(s) } // it may have ended

// kill ends the process without a word.
func (r *replica) kill() {
	if r.process != nil {
		r.signal(syscall.SIGKILL)
		<-r.ended
	}
}

// run is a command on the replica's machine.
func (r *replica) run(args ...string) string {
	r.t.Helper()
	var out bytes.Buffer
	cmd := exec.Command("ip", append(append([]string{"netns", "exec", r.site.network.machine(r.machine), r.program}, args...), "--data", r.data)...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		r.t.Fatalf("%v: berth %s: %v\n%s", r, strings.Join(args, " "), err, out.Bytes())
	}
	return out.String()
}

// readiness is what /readyz says; an error where it is not ready.
func (r *replica) readiness() (string, error) {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + r.listen() + "/readyz")
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	_, _ = b.ReadFrom(resp.Body) // what there is
	if resp.StatusCode != http.StatusOK {
		return "", errors.New(b.String())
	}
	return b.String(), nil
}

func (r *replica) waitReady() {
	r.t.Helper()
	eventually(r.t, r.String()+" is ready", func() error {
		_, err := r.readiness()
		return err
	})
}

// leader is the one of the replicas that says it leads.
func (s *site) leader(among ...*replica) (found *replica) {
	s.t.Helper()
	if len(among) == 0 {
		among = s.members
	}
	eventually(s.t, "one replica leads", func() error {
		found = nil
		for _, r := range among {
			if text, err := r.readiness(); err == nil && strings.Contains(text, "ok leader") {
				if found != nil {
					return fmt.Errorf("%v and %v lead", found, r)
				}
				found = r
			}
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

// writable waits until a replica takes a write that is begun now.
func (r *replica) writable() {
	r.t.Helper()
	client := r.client()
	eventually(r.t, r.String()+" takes a write", func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_, err := client.CreateCluster(ctx, &awsecs.CreateClusterInput{ClusterName: aws.String("default")})
		return err
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

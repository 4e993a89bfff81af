package site

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/sdkhttp"
)

// Replica is one server.
type Replica struct {
	Machine int // from 1 on
	Program string
	Data    string
	Listen  string
	Flags   []string // that every start needs
	Env     []string // besides the test's own

	site    *Site
	peer    string // "" for the next port after Listen
	member  bool   // it knows its flags
	log     *os.File
	process *exec.Cmd
	ended   <-chan struct{} // closed when the process is
	once    sync.Once
	client  *awsecs.Client
}

func (r *Replica) String() string {
	if r.site.Network == nil {
		return r.Listen
	}
	return fmt.Sprintf("machine %d", r.Machine)
}

// T is the test that the replica is for.
func (r *Replica) T() testing.TB { return r.site.T }

// Start runs the server. A member of a cluster needs no flags but its data directory, after the first time.
func (r *Replica) Start(flags ...string) {
	r.site.T.Helper()
	args := append(append([]string{"server", "--data", r.Data}, r.Flags...), flags...)
	joins := len(flags) > 0 && (flags[0] == "--cluster-init" || flags[0] == "--join")
	if !r.member || len(flags) > 0 {
		args = append(args, "--listen", r.Listen)
	}
	if joins && r.peer != "" {
		args = append(args, "--peer-listen", r.peer)
	}
	r.member = r.member || joins
	r.process = r.command(args...)
	r.process.Stdout, r.process.Stderr = r.log, r.log
	r.ended = begin(r.site.T, r.process)
}

// begin starts a process, and returns what is closed when it has ended.
func begin(t testing.TB, process *exec.Cmd) <-chan struct{} {
	t.Helper()
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = process.Wait() // what ended it
		close(ended)
	}()
	return ended
}

func waitEnded(t testing.TB, what string, ended <-chan struct{}) {
	t.Helper()
	select {
	case <-ended:
	case <-time.After(Patience):
		t.Fatalf("not within %v: %s has ended", Patience, what)
	}
}

// Join starts the replica with a token that a member makes, and waits until it is ready. One that ends fails the test at once.
func (r *Replica) Join(through *Replica) {
	r.site.T.Helper()
	token := strings.TrimSpace(through.Run("server", "members", "token"))
	r.Start("--join", "https://"+through.Listen, "--token", token)
	Eventually(r.site.T, r.String()+" has joined", func() error {
		select {
		case <-r.ended:
			r.site.T.Fatalf("%v has ended instead of joining", r)
		default:
		}
		_, err := r.Readiness()
		return err
	})
}

// command is one of berth's on the replica's machine.
func (r *Replica) command(args ...string) *exec.Cmd {
	cmd := r.site.Network.Command(r.Machine, r.Program, args...)
	cmd.Env = append(os.Environ(), r.Env...)
	return cmd
}

// Signal sends a signal to the process, which may have ended.
func (r *Replica) Signal(s syscall.Signal) {
	if r.process != nil {
		_ = r.process.Process.Signal(s)
	}
}

// Kill ends the process without a word.
func (r *Replica) Kill() {
	if r.process != nil {
		r.Signal(syscall.SIGKILL)
		<-r.ended
	}
}

// Drain lets the replica hand over and end.
func (r *Replica) Drain() { r.Run("server", "--drain"); <-r.ended }

// Ended is closed when the process that was started last has ended.
func (r *Replica) Ended() <-chan struct{} { return r.ended }

// WaitEnded waits until the process has ended by itself.
func (r *Replica) WaitEnded() {
	r.site.T.Helper()
	waitEnded(r.site.T, r.String(), r.ended)
}

// Restart starts the replica where it has ended.
func (r *Replica) Restart() {
	r.site.T.Helper()
	select {
	case <-r.ended:
		r.Start()
	default:
	}
}

// Run is a command on the replica's machine, which must succeed.
func (r *Replica) Run(args ...string) string {
	r.site.T.Helper()
	out, err := r.Try(args...)
	if err != nil {
		r.site.T.Fatalf("%v: berth %s: %v\n%s", r, strings.Join(args, " "), err, out)
	}
	return out
}

// Try is a command on the replica's machine, with what it printed.
func (r *Replica) Try(args ...string) (string, error) {
	out, err := r.command(append(args, "--data", r.Data)...).CombinedOutput()
	return string(out), err
}

// Log is what the replica has logged since its first start.
func (r *Replica) Log() string {
	b, err := os.ReadFile(r.log.Name())
	if err != nil {
		r.site.T.Fatal(err)
	}
	return string(b)
}

// Client is one that tries once, and waits longer than a leader is stopped: what the leader answers when it goes on must be true as well.
func (r *Replica) Client() *awsecs.Client {
	r.once.Do(func() {
		r.client = awsecs.New(awsecs.Options{
			Region: "us-east-1", BaseEndpoint: aws.String("http://" + r.Listen), RetryMaxAttempts: 1,
			Credentials: credentials.NewStaticCredentialsProvider(r.site.keyID, r.site.secret, ""),
			HTTPClient:  &http.Client{Timeout: 15 * time.Second, Transport: sdkhttp.Transport{RoundTripper: &http.Transport{MaxIdleConnsPerHost: 16}}},
		})
	})
	return r.client
}

// Get asks for a page, and returns its status, 0 where there is no answer, and its text.
func (r *Replica) Get(path string) (int, string) {
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + r.Listen + path)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	_, _ = b.ReadFrom(resp.Body) // what there is
	return resp.StatusCode, b.String()
}

// Readiness is what /readyz says; an error where the replica is not ready.
func (r *Replica) Readiness() (string, error) {
	code, text := r.Get("/readyz")
	if code != http.StatusOK {
		return "", errors.New(text)
	}
	return text, nil
}

// WaitReady waits until the replica is ready.
func (r *Replica) WaitReady() {
	r.site.T.Helper()
	Eventually(r.site.T, r.String()+" is ready", func() error {
		_, err := r.Readiness()
		return err
	})
}

// WaitUnready waits until the replica says itself that it is of no use.
func (r *Replica) WaitUnready() {
	r.site.T.Helper()
	Eventually(r.site.T, r.String()+" says that it is of no use", func() error {
		if text, err := r.Readiness(); err == nil {
			return fmt.Errorf("it says %s", text)
		}
		return nil
	})
}

// Write makes one cluster through the replica.
func (r *Replica) Write(ctx context.Context, name string) error {
	_, err := r.Client().CreateCluster(ctx, &awsecs.CreateClusterInput{ClusterName: &name})
	return err
}

// WaitWritable waits until the replica takes a write that is begun now.
func (r *Replica) WaitWritable() {
	r.site.T.Helper()
	Eventually(r.site.T, r.String()+" takes a write", func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return r.Write(ctx, "default")
	})
}

// Clusters are the names of all clusters, as the replica tells them.
func (r *Replica) Clusters() map[string]bool {
	r.site.T.Helper()
	have := map[string]bool{}
	pages := awsecs.NewListClustersPaginator(r.Client(), &awsecs.ListClustersInput{MaxResults: aws.Int32(100)})
	for pages.HasMorePages() {
		// Tried again, as anybody's client does: the SDK may close a request's body a moment too soon, which costs it the connection.
		page, err := pages.NextPage(context.Background(), func(o *awsecs.Options) { o.RetryMaxAttempts = 5 })
		if err != nil {
			r.site.T.Fatalf("list clusters through %v: %v", r, err)
		}
		for _, arn := range page.ClusterArns {
			have[arn[strings.LastIndexByte(arn, '/')+1:]] = true
		}
	}
	return have
}

// Ports returns two free addresses of this machine: a replica's and its peers'. They are none of those that the kernel gives to connections.
func Ports(t testing.TB) (listen, peer string) {
	t.Helper()
	var free []string
	for range 1000 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 12000+rand.IntN(20000)))
		if err != nil {
			continue
		}
		defer l.Close()
		if free = append(free, l.Addr().String()); len(free) == 2 {
			return free[0], free[1]
		}
	}
	t.Fatal("no free ports")
	return "", ""
}

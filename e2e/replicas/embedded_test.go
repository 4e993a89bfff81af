package replicas

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/simulate"
)

// TestEmbedded is the life of three replicas that keep the state among themselves, with writers and agents at them all the time.
func TestEmbedded(t *testing.T) {
	s := embedded(t)
	if list := s.members[2].list(); len(list) != 3 {
		t.Fatalf("members: %+v", list)
	}
	for i, r := range s.members {
		name := fmt.Sprintf("through-%d", i)
		if err := s.write(t.Context(), r, name); err != nil {
			t.Fatalf("write through %s: %v", r.listen, err)
		}
		for _, x := range s.members {
			if !s.clusters(x)[name] {
				t.Errorf("%s does not show at once what was written through %s", x.listen, r.listen)
			}
		}
	}
	s.checkEndpoints()
	s.checkTokens()

	w := s.startWriters("w")
	fleet := s.startFleet(s.without(s.leader())[0], 20)
	fleet.work()
	for _, fault := range faults() {
		leader := s.leader()
		before := fleet.Manifests.Load()
		s.suffer(fault, leader)
		fleet.back(before)
		fleet.connected()
	}
	for _, r := range s.members {
		r.run("server", "--drain")
		r.start()
		r.waitReady()
	}
	fleet.connected()
	w.check(s)
	fleet.unharmed()
	s.checkRemoval()
}

// checkEndpoints: agents are told the address and the scheme that they came by, also through a follower.
func (s *site) checkEndpoints() {
	s.t.Helper()
	leader := s.leader()
	for _, r := range s.members {
		for _, scheme := range []string{"http", "https"} {
			o := s.client(r).Options()
			o.BaseEndpoint = aws.String(scheme + "://" + r.listen)
			o.HTTPClient = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
			out, err := awsecs.New(o).DiscoverPollEndpoint(context.Background(), &awsecs.DiscoverPollEndpointInput{Cluster: aws.String("default")})
			if err != nil {
				s.t.Fatal(err)
			}
			if want := scheme + "://" + r.listen + "/acs/"; *out.Endpoint != want {
				s.t.Errorf("through %s (the leader: %v) the endpoint is %s, want %s", r.listen, r == leader, *out.Endpoint, want)
			}
		}
	}
}

// checkTokens: a token is good once, and only at the installation that made it.
func (s *site) checkTokens() {
	s.t.Helper()
	token := strings.TrimSpace(s.members[1].run("server", "members", "token"))
	foreign := token[:len(token)-4] + "0000"
	used := strings.TrimSpace(s.members[1].run("token"))
	for name, x := range map[string]struct{ token, want string }{
		"another installation's": {foreign, "not one of the installation"},
		"a machine's":            {used, "no token of a replica"},
		"unknown":                {token[:4] + "zzzz" + token[8:], "not valid"},
	} {
		r := &replica{t: s.t, data: s.t.TempDir()}
		listen, peer := ports(s.t)
		out, err := r.try("server", "--join", s.members[1].listen, "--token", x.token, "--listen", listen, "--peer-listen", peer)
		if err == nil || !strings.Contains(out, x.want) {
			s.t.Errorf("%s token: %v, %s", name, err, out)
		}
	}
}

// checkRemoval: a removed member says what to do, also when it is started again, and the others go on.
func (s *site) checkRemoval() {
	s.t.Helper()
	leader := s.leader()
	gone := s.without(leader)[0]
	id := ""
	for _, m := range leader.list() {
		if strings.HasSuffix(m.Address, leader.listen) {
			if out, err := leader.try("server", "members", "remove", m.ID); err == nil || !strings.Contains(out, "--drain") {
				s.t.Errorf("removing the leader: %v, %s", err, out)
			}
		}
		if strings.HasSuffix(m.Address, gone.listen) {
			id = m.ID
		}
	}
	eventually(s.t, "the member is removed", func() error {
		out, err := leader.try("server", "members", "remove", id)
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
	says := func() error {
		if code, text := gone.get("/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(text, "--join") {
			return fmt.Errorf("%d %s", code, text)
		}
		return nil
	}
	eventually(s.t, "the removed member says what to do", says)
	if err := s.write(context.Background(), gone, "nowhere"); err == nil || !strings.Contains(err.Error(), "removed from the cluster") {
		s.t.Errorf("a write through the removed member: %v", err)
	}
	gone.run("server", "--drain")
	gone.start()
	eventually(s.t, "it says so again when it is started again", says)
	if err := s.write(context.Background(), leader, "two-are-left"); err != nil {
		s.t.Error(err)
	}
	if n := len(leader.list()); n != 2 {
		s.t.Errorf("%d members are left", n)
	}
}

// fleet is simulated container instances that reach the control plane through one replica, with tasks on them.
type fleet struct {
	*simulate.Fleet
	s       *site
	through *replica
	size    int
}

func (s *site) startFleet(through *replica, size int) *fleet {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	f := &fleet{s: s, through: through, size: size}
	f.Fleet = simulate.New(simulate.Config{
		Endpoint: "http://" + through.listen, Region: "us-east-1", Cluster: "default", Instances: size, CPUUnits: 4096, MemoryMiB: 16384,
		Join: s.joinInstance(through),
	})
	if err := f.Register(ctx); err != nil {
		s.t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	s.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Errorf("fleet: %v", err)
		}
	})
	f.connected()
	return f
}

// work gives the fleet a service of three tasks an instance.
func (f *fleet) work() {
	f.s.t.Helper()
	s, size, through := f.s, f.size, f.through
	load := &simulate.Load{API: s.client(through), Cluster: "default", Tasks: 3 * size, Services: 1, Prefix: "load", CPU: 100, MemoryMiB: 64}
	definition, err := load.Define(context.Background(), "1")
	if err == nil {
		_, err = s.client(through).CreateService(context.Background(), &awsecs.CreateServiceInput{
			ServiceName: aws.String("load"), TaskDefinition: &definition, DesiredCount: aws.Int32(int32(3 * size)),
		})
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// connected waits until every instance has a session again.
func (f *fleet) connected() {
	f.s.t.Helper()
	eventually(f.s.t, "all instances are connected", func() error {
		connected, api, ctx := 0, f.s.client(f.through), context.Background()
		pages := awsecs.NewListContainerInstancesPaginator(api, &awsecs.ListContainerInstancesInput{})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			out, err := api.DescribeContainerInstances(ctx, &awsecs.DescribeContainerInstancesInput{ContainerInstances: page.ContainerInstanceArns})
			if err != nil {
				return err
			}
			for _, i := range out.ContainerInstances {
				if i.AgentConnected {
					connected++
				}
			}
		}
		if connected != f.size {
			return fmt.Errorf("%d of %d are", connected, f.size)
		}
		return nil
	})
}

// back waits until every instance has begun a session anew.
func (f *fleet) back(before int64) {
	f.s.t.Helper()
	eventually(f.s.t, "all sessions are back", func() error {
		if n := f.Manifests.Load() - before; n < int64(f.size) {
			return fmt.Errorf("%d of %d are", n, f.size)
		}
		return nil
	})
}

// unharmed checks that the service's tasks run, and that none has ended: no fault of the control plane is a reason to stop one.
func (f *fleet) unharmed() {
	f.s.t.Helper()
	eventually(f.s.t, "all tasks run", func() error {
		out, err := f.s.client(f.through).DescribeServices(context.Background(), &awsecs.DescribeServicesInput{Services: []string{"load"}})
		if err != nil {
			return err
		}
		if n := int(out.Services[0].RunningCount); n != 3*f.size {
			return fmt.Errorf("%d of %d", n, 3*f.size)
		}
		return nil
	})
	if n := f.Stopped.Load() + f.Failed.Load(); n > 0 {
		f.s.t.Errorf("%d tasks were stopped", n)
	}
	if n := f.Running.Load(); n != int64(3*f.size) {
		f.s.t.Errorf("%d tasks were started, want %d", n, 3*f.size)
	}
}

// TestSingleBecomesACluster: an installation that has run alone is the first of three, with all it had.
func TestSingleBecomesACluster(t *testing.T) {
	s := &site{t: t}
	first := s.add()
	first.start("--region", "us-east-1")
	first.waitReady()
	s.credentials()
	if out, err := first.try("server", "members", "token"); err == nil || !strings.Contains(out, "--cluster-init") {
		t.Errorf("a token of a single replica: %v, %s", err, out)
	}
	if err := s.write(t.Context(), first, "before"); err != nil {
		t.Fatal(err)
	}
	first.run("server", "--drain")
	first.start("--cluster-init", "--peer-listen", first.peer())
	first.waitReady()
	second := s.join()
	if !s.clusters(second)["before"] {
		t.Error("the new member does not have what was there before")
	}
	if got := second.run("env"); !strings.Contains(got, s.keyID) || !strings.Contains(got, second.listen) {
		t.Errorf("berth env on the new member's machine: %s", got)
	}
}

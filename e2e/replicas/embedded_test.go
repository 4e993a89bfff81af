package replicas

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/e2e/site"
	"berth/internal/sdkhttp"
	"berth/internal/simulate"
)

// embedded starts three replicas that keep the state among themselves.
func embedded(t testing.TB) *site.Site {
	t.Helper()
	return site.Open(t, 3, nil)
}

// member is what `berth server members list` says.
type member struct{ ID, Name, Role, Address string }

func members(s *site.Site, through *site.Replica) []member {
	s.T.Helper()
	var out struct{ Members []member }
	if err := json.Unmarshal([]byte(through.Run("server", "members", "list", "--output", "json")), &out); err != nil {
		s.T.Fatal(err)
	}
	return out.Members
}

// TestEmbedded is the life of three replicas that keep the state among themselves, with writers and agents at them all the time.
func TestEmbedded(t *testing.T) {
	t.Parallel()
	s := embedded(t)
	if list := members(s, s.Members[2]); len(list) != 3 {
		t.Fatalf("members: %+v", list)
	}
	everywhere(s)
	checkEndpoints(s)
	checkTokens(s)

	w := startWriters(s, "w")
	through := s.Without(s.Leader())[0]
	fleet := through.StartFleet(20, simulate.Config{CPUUnits: 4096, MemoryMiB: 16384})
	work(s, through, 3*20)
	for _, fault := range faults() {
		w.more(s, 10)
		leader := s.Leader()
		before := fleet.Manifests.Load()
		suffer(s, fault, leader)
		s.WaitSessions(fleet, before)
		connected(s, through, 20)
	}
	for _, r := range s.Members {
		r.Drain()
		r.Start()
		r.WaitReady()
	}
	connected(s, through, 20)
	w.more(s, 10)
	w.check(s)
	unharmed(s, through, fleet, 3*20)
	checkRemoval(s)
}

// checkEndpoints: agents are told the address and the scheme that they came by, also through a follower.
func checkEndpoints(s *site.Site) {
	s.T.Helper()
	leader := s.Leader()
	for _, r := range s.Members {
		for _, scheme := range []string{"http", "https"} {
			o := r.Client().Options()
			o.BaseEndpoint = aws.String(scheme + "://" + r.Listen)
			o.HTTPClient = sdkhttp.Client(&http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true})
			out, err := awsecs.New(o).DiscoverPollEndpoint(context.Background(), &awsecs.DiscoverPollEndpointInput{Cluster: aws.String("default")})
			if err != nil {
				s.T.Fatal(err)
			}
			if want := scheme + "://" + r.Listen + "/acs/"; *out.Endpoint != want {
				s.T.Errorf("through %s (the leader: %v) the endpoint is %s, want %s", r.Listen, r == leader, *out.Endpoint, want)
			}
		}
	}
}

// checkTokens: a token is good once, and only at the installation that made it.
func checkTokens(s *site.Site) {
	s.T.Helper()
	token := strings.TrimSpace(s.Members[1].Run("server", "members", "token"))
	foreign := token[:len(token)-4] + "0000"
	used := strings.TrimSpace(s.Members[1].Run("token"))
	for name, x := range map[string]struct{ token, want string }{
		"another installation's": {foreign, "not one of the installation"},
		"a machine's":            {used, "no token of a replica"},
		"unknown":                {token[:4] + "zzzz" + token[8:], "not valid"},
	} {
		r := s.Add()
		s.Members = s.Members[:3]
		_, peer := site.Ports(s.T)
		out, err := r.Try("server", "--join", s.Members[1].Listen, "--token", x.token, "--listen", r.Listen, "--peer-listen", peer)
		if err == nil || !strings.Contains(out, x.want) {
			s.T.Errorf("%s token: %v, %s", name, err, out)
		}
	}
}

// checkRemoval: a removed member says what to do, also when it is started again, and the others go on.
func checkRemoval(s *site.Site) {
	s.T.Helper()
	leader := s.Leader()
	gone := s.Without(leader)[0]
	id := ""
	for _, m := range members(s, leader) {
		if strings.HasSuffix(m.Address, leader.Listen) {
			if out, err := leader.Try("server", "members", "remove", m.ID); err == nil || !strings.Contains(out, "--drain") {
				s.T.Errorf("removing the leader: %v, %s", err, out)
			}
		}
		if strings.HasSuffix(m.Address, gone.Listen) {
			id = m.ID
		}
	}
	site.Eventually(s.T, "the member is removed", func() error {
		out, err := leader.Try("server", "members", "remove", id)
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
	says := func() error {
		if code, text := gone.Get("/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(text, "--join") {
			return fmt.Errorf("%d %s", code, text)
		}
		return nil
	}
	site.Eventually(s.T, "the removed member says what to do", says)
	if err := gone.Write(context.Background(), "nowhere"); err == nil || !strings.Contains(err.Error(), "removed from the cluster") {
		s.T.Errorf("a write through the removed member: %v", err)
	}
	gone.Drain()
	gone.Start()
	site.Eventually(s.T, "it says so again when it is started again", says)
	if err := leader.Write(context.Background(), "two-are-left"); err != nil {
		s.T.Error(err)
	}
	if n := len(members(s, leader)); n != 2 {
		s.T.Errorf("%d members are left", n)
	}
}

// work makes a service of so many tasks.
func work(s *site.Site, through *site.Replica, tasks int) {
	s.T.Helper()
	load := &simulate.Load{API: through.Client(), Cluster: "default", Tasks: tasks, Services: 1, Prefix: "load", CPU: 100, MemoryMiB: 64}
	definition, err := load.Define(context.Background(), "1")
	if err == nil {
		_, err = through.Client().CreateService(context.Background(), &awsecs.CreateServiceInput{
			ServiceName: aws.String("load"), TaskDefinition: &definition, DesiredCount: aws.Int32(int32(tasks)),
		})
	}
	if err != nil {
		s.T.Fatal(err)
	}
}

// connected waits until so many instances are.
func connected(s *site.Site, through *site.Replica, instances int) {
	s.T.Helper()
	site.Eventually(s.T, "all instances are connected", func() error {
		n, api, ctx := 0, through.Client(), context.Background()
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
					n++
				}
			}
		}
		if n != instances {
			return fmt.Errorf("%d of %d are", n, instances)
		}
		return nil
	})
}

// unharmed checks that the service's tasks run, and that none has ended: no fault of the control plane is a reason to stop one.
func unharmed(s *site.Site, through *site.Replica, f *simulate.Fleet, tasks int) {
	s.T.Helper()
	site.Eventually(s.T, "all tasks run", func() error {
		out, err := through.Client().DescribeServices(context.Background(), &awsecs.DescribeServicesInput{Services: []string{"load"}})
		if err != nil {
			return err
		}
		if n := int(out.Services[0].RunningCount); n != tasks {
			return fmt.Errorf("%d of %d", n, tasks)
		}
		return nil
	})
	if n := f.Stopped.Load() + f.Failed.Load(); n > 0 {
		s.T.Errorf("%d tasks were stopped", n)
	}
	if n := f.Running.Load(); n != int64(tasks) {
		s.T.Errorf("%d tasks were started, want %d", n, tasks)
	}
}

// TestSingleBecomesACluster: an installation that has run alone is the first of three, with all it had.
func TestSingleBecomesACluster(t *testing.T) {
	t.Parallel()
	s := &site.Site{T: t}
	first := s.Add()
	first.Start()
	first.WaitReady()
	s.Credentials()
	if out, err := first.Try("server", "members", "token"); err == nil || !strings.Contains(out, "--cluster-init") {
		t.Errorf("a token of a single replica: %v, %s", err, out)
	}
	if err := first.Write(t.Context(), "before"); err != nil {
		t.Fatal(err)
	}
	first.Drain()
	first.Start("--cluster-init")
	first.WaitReady()
	second := s.Join()
	if !second.Clusters()["before"] {
		t.Error("the new member does not have what was there before")
	}
	if got := second.Run("env"); !strings.Contains(got, s.KeyID()) || !strings.Contains(got, second.Listen) {
		t.Errorf("berth env on the new member's machine: %s", got)
	}
}

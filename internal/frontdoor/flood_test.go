package frontdoor_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"berth/internal/access"
	ecsapi "berth/internal/api/ecs"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state/statetest"
)

// flood is a cluster of many tasks behind a door.
type flood struct {
	door    http.Handler
	load    func() frontdoor.Load
	cluster arn.Cluster
	ids     []string
	served  atomic.Int64 // reads that were answered
	refused atomic.Int64 // reads that were throttled
	most    atomic.Int64 // reads that were in the operation at the same time
	waiting atomic.Int64 // reads that waited at the same time

	full  chan struct{} // closed at the first refusal: until then reads keep their seats, so that there is a flood on a fast machine too
	flood sync.Once
}

const (
	floodTasks   = 5000
	floodClients = 300
	floodReports = 100
)

func newFlood(t *testing.T, limits frontdoor.Limits) *flood {
	scope := arn.Scope{Region: "us-east-1", Account: "123456789012"}
	f := &flood{cluster: scope.Cluster("demo"), full: make(chan struct{})}
	i := f.cluster.Instance("0001")
	records := []ecs.Record{&ecs.Cluster{ClusterArn: f.cluster, Status: ecs.Active}, &ecs.Instance{ContainerInstanceArn: i, Status: ecs.Active, Connected: true}}
	for n := range floodTasks {
		id := fmt.Sprintf("%032x", n)
		f.ids = append(f.ids, id)
		records = append(records, &ecs.Task{TaskArn: f.cluster.Task(id), ContainerInstanceArn: i, DesiredStatus: ecs.Running, LastStatus: ecs.Pending})
	}
	store := statetest.Open(t, records...)
	service := ecsapi.New(ecsapi.Config{State: store}).Service()
	for n := range service.Operations {
		if o := &service.Operations[n]; o.Name == "DescribeTasks" || o.Name == "ListTasks" {
			o.Call = f.watch(o.Call)
		}
	}
	door := frontdoor.New(frontdoor.Config{
		Services: []frontdoor.Service{service}, Auth: frontdoor.AuthDev, DevPrincipal: access.Admin(scope.Account), Account: scope.Account, Limits: limits,
	})
	f.door, f.load = door, door.Load
	return f
}

// watch counts how many calls there are at the same time.
func (f *flood) watch(call func(context.Context, *frontdoor.Request, any) (any, error)) func(context.Context, *frontdoor.Request, any) (any, error) {
	var now atomic.Int64
	return func(ctx context.Context, r *frontdoor.Request, in any) (any, error) {
		n := now.Add(1)
		defer now.Add(-1)
		atLeast(&f.most, n)
		atLeast(&f.waiting, int64(f.load().Classes[2].Waiting))
		select {
		case <-f.full:
		case <-time.After(10 * time.Second): // nobody is refused: the test says so
		}
		return call(ctx, r, in)
	}
}

func atLeast(most *atomic.Int64, n int64) {
	for was := most.Load(); n > was && !most.CompareAndSwap(was, n); was = most.Load() {
	}
}

func (f *flood) call(operation string, in map[string]any) *httptest.ResponseRecorder {
	in["cluster"] = "demo"
	body, err := json.Marshal(in)
	if err != nil {
		panic(err)
	}
	r := httptest.NewRequest("POST", "http://cp/", strings.NewReader(string(body)))
	r.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113."+operation)
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	w := httptest.NewRecorder()
	f.door.ServeHTTP(w, r)
	return w
}

// read asks again and again, with a pause much shorter than an SDK's where it is refused.
func (f *flood) read(ctx context.Context, n int) error {
	for ctx.Err() == nil {
		w := f.call("ListTasks", map[string]any{})
		if n%2 == 0 {
			from := n * 10 % (floodTasks - 100)
			w = f.call("DescribeTasks", map[string]any{"tasks": f.ids[from : from+100]})
		}
		switch {
		case w.Code == 200:
			f.served.Add(1)
		case strings.Contains(w.Body.String(), "ThrottlingException"):
			f.refused.Add(1)
			f.flood.Do(func() { close(f.full) })
			time.Sleep(5 * time.Millisecond)
		default:
			return fmt.Errorf("a read: %d %s", w.Code, w.Body)
		}
	}
	return nil
}

// run makes reports one after the other while clients read, and returns how many reads were answered meanwhile.
func (f *flood) run(t *testing.T) (overtaken int64) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var clients sync.WaitGroup
	for n := range floodClients {
		clients.Go(func() {
			if err := f.read(ctx, n); err != nil {
				t.Error(err)
			}
		})
	}
	for f.served.Load() < 20 { // until the flood is there
		time.Sleep(time.Millisecond)
	}
	for n := range floodReports {
		before := f.served.Load()
		w := f.call("SubmitTaskStateChange", map[string]any{"task": string(f.cluster.Task(f.ids[n])), "status": "RUNNING"})
		if w.Code != 200 {
			t.Errorf("report %d: %d %s", n, w.Code, w.Body)
			break
		}
		overtaken += f.served.Load() - before
	}
	cancel()
	clients.Wait()
	return overtaken
}

// TestFlood: hundreds of clients list a large cluster. Agents' reports are all answered, and in the mean each lets only a few rounds
// of reads' seats pass; what the reads take is bounded by seats and queue.
func TestFlood(t *testing.T) {
	const seats = 8
	f := newFlood(t, frontdoor.Limits{Reads: seats})
	overtaken := f.run(t)
	if n := f.waiting.Load(); n > 128 { // one caller's share of the queue
		t.Errorf("%d reads waited at the same time", n)
	}
	if n := f.most.Load(); n > seats {
		t.Errorf("%d reads at the same time, want up to %d", n, seats)
	}
	if f.served.Load() == 0 || f.refused.Load() == 0 {
		t.Errorf("%d reads served, %d refused: this was no flood", f.served.Load(), f.refused.Load())
	}
	if overtaken > 10*seats*floodReports {
		t.Errorf("%d reads were answered while %d reports were", overtaken, floodReports)
	}
	t.Logf("reads: %d served, %d of them while %d reports were; %d refused, up to %d at the same time, %d waiting",
		f.served.Load(), overtaken, floodReports, f.refused.Load(), f.most.Load(), f.waiting.Load())
	for _, c := range f.load().Classes {
		if c.Taken != 0 || c.Waiting != 0 {
			t.Errorf("afterwards %+v", c)
		}
	}
}

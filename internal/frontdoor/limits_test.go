package frontdoor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/pipenet"
)

// limited is a door whose reads and writes wait in Ready until they are let go, with limits.
func limited(l Limits, ready func(ctx context.Context, readOnly bool) error) *Door {
	return testDoor(func(c *Config) {
		c.Limits, c.Ready = l, ready
		c.Services[0].Operations[4].Frequent = true // SubmitTaskStateChange
		c.Services[0].Rates = []Rate{
			{Name: "cluster modify", Burst: 4, PerSecond: 0.5, Operations: []string{"CreateCluster", "DeleteCluster", "UpdateCluster"}},
			{Name: "cluster read", Burst: 10, PerSecond: 2, Operations: []string{"ListClusters"}},
		}
	})
}

// submit is an agent's report.
const submit = "SubmitTaskStateChange"

func wantThrottled(t *testing.T, w *httptest.ResponseRecorder, seconds, ms string) {
	t.Helper()
	if w.Code != 400 || strings.TrimSpace(w.Body.String()) != `{"__type":"ThrottlingException","message":"Rate exceeded"}` {
		t.Errorf("%d %s, want it throttled", w.Code, w.Body)
	}
	if s, m := w.Header().Get("Retry-After"), w.Header().Get("X-Amz-Retry-After"); s != seconds || m != ms {
		t.Errorf("retry after %q s, %q ms; want %q, %q", s, m, seconds, ms)
	}
}

func TestRateOfAKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := limited(Limits{Rate: 1}, nil)
		call := func(operation, body string, keys aws.Credentials) *httptest.ResponseRecorder {
			return serve(d, signedJSON(t, operation, body, keys))
		}
		const gone = `{"cluster":"x"}`
		for range 2 { // operations of one rate share a bucket
			if w := call("CreateCluster", `{"clusterName":"x"}`, adminKeys); w.Code != 200 {
				t.Fatal(w.Body)
			}
			if w := call("DeleteCluster", gone, adminKeys); w.Code != 200 {
				t.Fatal(w.Body)
			}
		}
		wantThrottled(t, call("DeleteCluster", gone, adminKeys), "2", "2000")
		time.Sleep(1500 * time.Millisecond)
		wantThrottled(t, call("DeleteCluster", gone, adminKeys), "1", "500")
		if w := call("DeleteCluster", gone, sessionKeys); w.Code != 200 {
			t.Errorf("another key: %s", w.Body)
		}
		if w := call("ListClusters", `{}`, adminKeys); w.Code != 200 {
			t.Errorf("another rate: %s", w.Body)
		}
		for range 1000 {
			if w := call(submit, `{}`, adminKeys); w.Code != 200 {
				t.Fatalf("a report: %s", w.Body)
			}
		}
		time.Sleep(500 * time.Millisecond)
		if w := call("DeleteCluster", gone, adminKeys); w.Code != 200 {
			t.Errorf("when a token has come back: %s", w.Body)
		}
		time.Sleep(time.Hour)
		for range 4 { // the bucket is full and not fuller
			if w := call("DeleteCluster", gone, adminKeys); w.Code != 200 {
				t.Error(w.Body)
			}
		}
		wantThrottled(t, call("DeleteCluster", gone, adminKeys), "2", "2000")
		if n := d.Load().Refused["rate"]; n != 3 {
			t.Errorf("%d refused", n)
		}
	})
}

func TestRateOfAQueryService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := limited(Limits{Rate: 0.01}, nil) // of the rate of what no rate names: one call, then one in five seconds
		form := "Action=GetCallerIdentity&Version=2011-06-15"
		if w := serve(d, signedForm(t, form, adminKeys)); w.Code != 200 {
			t.Fatal(w.Body)
		}
		w := serve(d, signedForm(t, form, adminKeys))
		if w.Code != 400 || !strings.Contains(w.Body.String(), "<Code>Throttling</Code>") || w.Header().Get("Retry-After") != "5" {
			t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
		}
	})
}

// TestUnverifiedCallersTakeNothing: who cannot sign does not use up the tokens of a key.
func TestUnverifiedCallersTakeNothing(t *testing.T) {
	d := limited(Limits{Rate: 0.001}, nil)
	for range 10 {
		if w := serve(d, signedJSON(t, "ListClusters", "{}", aws.Credentials{AccessKeyID: "AKIDADMIN", SecretAccessKey: "wrong"})); !strings.Contains(w.Body.String(), "InvalidSignature") {
			t.Fatal(w.Body)
		}
	}
	if w := serve(d, signedJSON(t, "ListClusters", "{}", adminKeys)); w.Code != 200 {
		t.Error(w.Body)
	}
}

// TestIdleKeysAreForgotten counts the accounts that are kept.
func TestIdleKeysAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRates(0, nil)
		l := r.limit(Rate{Name: "x", Burst: 2, PerSecond: 0.1}, 1)
		for i := range 5000 {
			if r.take(fmt.Sprint("old", i), l) > 0 {
				t.Fatal("the first call is throttled")
			}
		}
		r.take("busy", l)
		for range 10 {
			time.Sleep(30 * time.Second)
			r.take("busy", l)
		}
		if n := len(r.young) + len(r.old); n > 2 {
			t.Errorf("%d accounts of idle keys", n)
		}
		r.take("busy", l) // it had two, and took one of them this moment
		if r.take("busy", l) == 0 {
			t.Error("a busy key was forgotten")
		}
		for i := range 10 * maxAccounts {
			r.take(fmt.Sprint("new", i), l)
		}
		if n := len(r.young) + len(r.old); n > 2*maxAccounts {
			t.Errorf("%d accounts", n)
		}
	})
}

// pending serves r in its own goroutine; what it is answered comes over the channel.
func pending(d *Door, r *http.Request) chan *httptest.ResponseRecorder {
	c := make(chan *httptest.ResponseRecorder, 1)
	go func() { c <- serve(d, r) }()
	return c
}

func (l Load) of(c class) string {
	return fmt.Sprintf("%d/%d+%d", l.Classes[c].Taken, l.Classes[c].Seats, l.Classes[c].Waiting)
}

// TestReportsGoFirst: while all seats of reads and writes are taken by requests that never end, and their queues are full, reports are answered.
func TestReportsGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		d := limited(Limits{Reports: 12, Writes: 4, Reads: 2}, func(ctx context.Context, readOnly bool) error {
			if v, _ := ctx.Value(heldKey{}).(bool); v {
				<-hold
			}
			return nil
		})
		held := func(r *http.Request) *http.Request {
			return r.WithContext(context.WithValue(r.Context(), heldKey{}, true))
		}
		var others []chan *httptest.ResponseRecorder
		for i := range 600 {
			keys := []aws.Credentials{adminKeys, readerKeys, sessionKeys}[i%3]
			others = append(others, pending(d, held(signedJSON(t, "ListClusters", "{}", keys))))
			if i < 40 {
				others = append(others, pending(d, held(signedJSON(t, "DeleteCluster", "{}", adminKeys))))
			}
		}
		synctest.Wait()
		if l := d.Load(); l.of(reads) != "2/2+384" || l.of(writes) != "4/4+36" || l.of(reports) != "0/12+0" { // three keys have a quarter of 512 each
			t.Errorf("reads %s, writes %s, reports %s", l.of(reads), l.of(writes), l.of(reports))
		}
		for range 100 {
			if w := serve(d, signedJSON(t, submit, "{}", adminKeys)); w.Code != 200 {
				t.Fatalf("a report: %d %s", w.Code, w.Body)
			}
		}
		time.Sleep(time.Minute) // the others have waited long enough
		synctest.Wait()
		if l := d.Load(); l.of(reads) != "2/2+0" || l.of(writes) != "4/4+0" || l.Refused["late"] != 384+36 || l.Refused["full"] != 600-2-384 {
			t.Errorf("reads %s, writes %s, %v", l.of(reads), l.of(writes), l.Refused)
		}
		close(hold)
		served := 0
		for _, c := range others {
			switch w := <-c; w.Code {
			case 200:
				served++
			default:
				wantThrottled(t, w, "1", "1000")
			}
		}
		if l := d.Load(); served != 6 || l.of(reads) != "0/2+0" || d.seats.free != 12 {
			t.Errorf("%d served; %v, %d free", served, l, d.seats.free)
		}
	})
}

type heldKey struct{}

// TestClasses: how urgent an operation is follows from what it does, not from where it is answered.
func TestClasses(t *testing.T) {
	nothing := func(context.Context, *Request, *struct{}) (*struct{}, error) { return nil, nil }
	frequent, unsigned := Op("SubmitX", nothing), Op("GetX", nothing)
	frequent.Frequent, unsigned.Unsigned = true, true
	for _, c := range []struct {
		o    Operation
		want class
	}{
		{frequent, reports}, {Op("CreateX", nothing), writes}, {unsigned, writes}, {Op("GetX", nothing), reads}, {Op("GetX", nothing).OnLeader(), reads},
		{Op("FilterX", nothing).OnLeader(), reads},
	} {
		if got := classOf(c.o); got != c.want {
			t.Errorf("%s (%v) is one of the %s", c.o.Name, c.o.ReadOnly, got)
		}
	}
	if Op("GetX", nothing).OnLeader().ReadOnly {
		t.Error("a replica that is not the leader answers")
	}
}

// TestPrecedence: of those who wait, the most urgent class gets the seat, and within a class the callers in turn.
func TestPrecedence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeats(Limits{Reports: 1, Writes: 1, Reads: 1})
		if _, ok := s.take(t.Context(), reads, "x"); !ok {
			t.Fatal("no seat")
		}
		var mu sync.Mutex
		var order []string
		wait := func(c class, who string) {
			go func() {
				if _, ok := s.take(t.Context(), c, who); ok {
					mu.Lock()
					order = append(order, c.String()+" "+who)
					mu.Unlock()
					s.leave(c)
				}
			}()
			synctest.Wait()
		}
		wait(reads, "a")
		wait(reads, "a")
		wait(reads, "a")
		wait(reads, "b")
		wait(writes, "a")
		wait(reports, "a")
		wait(reports, "b")
		s.leave(reads)
		synctest.Wait()
		const want = "reports a, reports b, writes a, reads a, reads b, reads a, reads a"
		if got := strings.Join(order, ", "); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	})
}

// TestWaitersGoAway: a client that leaves, or waits too long, leaves no trace, and a seat that came in the same moment is not lost.
func TestWaitersGoAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeats(Limits{Reports: 3, Writes: 3, Reads: 1})
		for round := range 200 {
			if _, ok := s.take(t.Context(), reads, "x"); !ok {
				t.Fatalf("round %d: no seat", round)
			}
			ctx, cancel := context.WithCancel(t.Context())
			for i := range 5 {
				go func() {
					if _, ok := s.take(ctx, reads, fmt.Sprint(i%2)); ok {
						s.leave(reads)
					}
				}()
			}
			synctest.Wait()
			go cancel() // either may be first
			go s.leave(reads)
			synctest.Wait()
			cancel()
		}
		if q := &s.lanes[reads].queue; s.free != 3 || s.lanes[reads].taken != 0 || q.waiting != 0 || len(q.lines) != 0 || len(q.turns) != 0 {
			t.Errorf("%d free, %+v", s.free, s.lanes[reads])
		}
	})
}

// TestBodiesAreBounded: bodies that nobody has room for are refused, small ones never, and what is read is given back.
func TestBodiesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := limited(Limits{Bodies: 100 << 10}, nil)
		body := func(n int) string { return `{"clusterName":"` + strings.Repeat("x", n) + `"}` }
		slow, w := io.Pipe()
		r := signedJSON(t, "CreateCluster", body(200<<10), adminKeys)
		r.Body, r.ContentLength = io.NopCloser(slow), -1
		first := pending(d, r)
		if _, err := io.WriteString(w, body(200 << 10)[:60<<10]); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := d.Load().Bodies; n < 56<<10 || n > 100<<10 {
			t.Errorf("%d bytes are held of 60 KiB", n)
		}
		wantThrottled(t, serve(d, signedJSON(t, "CreateCluster", body(90<<10), adminKeys)), "1", "1000")
		if w := serve(d, signedJSON(t, "CreateCluster", body(3<<10), adminKeys)); w.Code != 200 {
			t.Errorf("a small one: %s", w.Body)
		}
		w.CloseWithError(errors.New("gone"))
		if w := <-first; !strings.Contains(w.Body.String(), "IncompleteBody") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if n := d.Load().Bodies; n != 0 {
			t.Errorf("%d bytes are held", n)
		}
		if w := serve(d, signedJSON(t, "CreateCluster", body(90<<10), adminKeys)); w.Code != 200 {
			t.Errorf("then: %s", w.Body)
		}
	})
}

// overNetwork serves d on a network in memory until the test ends.
func overNetwork(t *testing.T, h http.Handler) *pipenet.Network {
	nw := pipenet.New()
	srv := &http.Server{Handler: h}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(nw) }()
	t.Cleanup(func() { srv.Close(); nw.Close(); <-done })
	return nw
}

// TestSlowSenderIsCutOff: a body that does not come holds no seat, and not the connection for ever.
func TestSlowSenderIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := limited(Limits{Reads: 1}, nil)
		nw := overNetwork(t, d)
		c, err := nw.Dial(t.Context(), "tcp", "berth:80")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, "POST / HTTP/1.1\r\nHost: berth\r\nContent-Type: application/x-amz-json-1.1\r\nX-Amz-Target: "+ecsTarget+".ListClusters\r\nContent-Length: 10\r\n\r\n{") //nolint:errcheck // the answer tells
		time.Sleep(transferWithin - time.Second)
		if l := d.Load(); l.of(reads) != "0/1+0" {
			t.Errorf("it has a seat: %s", l.of(reads))
		}
		began := time.Now()
		answer, err := io.ReadAll(c)
		if err != nil || !strings.Contains(string(answer), "IncompleteBody") || time.Since(began) > 2*time.Second {
			t.Errorf("after %v: %v %s", time.Since(began), err, answer)
		}
	})
}

// TestSlowReaderIsCutOff: who does not accept a long answer loses the connection, and gives the seat back.
func TestSlowReaderIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := testDoor(func(c *Config) {
			c.Auth, c.DevPrincipal, c.Limits = AuthDev, admin, Limits{Reads: 1}
			c.Services[0].Operations[2] = Op("ListClusters", func(context.Context, *Request, *awsecs.ListClustersInput) (*awsecs.ListClustersOutput, error) {
				return &awsecs.ListClustersOutput{ClusterArns: []string{strings.Repeat("x", 64<<20)}}, nil
			})
			c.Other = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				time.Sleep(2 * transferWithin) // longer than the deadline of the answer before
				io.WriteString(w, "late")      //nolint:errcheck // the test reads it
			})
		})
		nw := overNetwork(t, d)
		c, err := nw.Dial(t.Context(), "tcp", "berth:80")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		ask := "POST / HTTP/1.1\r\nHost: berth\r\nContent-Type: application/x-amz-json-1.1\r\nX-Amz-Target: " + ecsTarget + ".%s\r\nContent-Length: 2\r\n\r\n{}"
		fmt.Fprintf(c, ask, "ListClusters")
		time.Sleep(transferWithin - time.Second)
		if l := d.Load(); l.of(reads) != "1/1+0" {
			t.Fatalf("it does not write: %s", l.of(reads))
		}
		time.Sleep(2 * time.Second)
		if l := d.Load(); l.of(reads) != "0/1+0" {
			t.Errorf("it still writes: %s", l.of(reads))
		}
		c.Close()

		// The deadline of one answer is not the next one's.
		client := &http.Client{Transport: &http.Transport{DialContext: nw.Dial}}
		defer client.CloseIdleConnections()
		r := jsonRequest(submit, "{}")
		r.RequestURI = ""
		for _, r := range []*http.Request{r, must(http.NewRequest("GET", "http://cp:3270/other", nil))} {
			resp, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			if b, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != 200 {
				t.Errorf("%d %s %v", resp.StatusCode, b, err)
			}
			resp.Body.Close()
		}
	})
}

func must(r *http.Request, err error) *http.Request {
	if err != nil {
		panic(err)
	}
	return r
}

// BenchmarkAdmit is what the limits cost a request that is let in.
func BenchmarkAdmit(b *testing.B) {
	d := limited(Limits{Rate: 1e9}, nil)
	c := d.services.byTarget[ecsTarget].calls["ListClusters"]
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if d.rates.take("AKIDADMIN", c.rate) > 0 {
				b.Error("throttled")
			}
			if _, ok := d.seats.take(context.Background(), c.class, "AKIDADMIN"); !ok {
				b.Error("no seat")
			}
			d.seats.leave(c.class)
		}
	})
}

// BenchmarkRate is the buckets' part of it, with as many callers as an installation has.
func BenchmarkRate(b *testing.B) {
	d := limited(Limits{Rate: 1e9}, nil)
	c := d.services.byTarget[ecsTarget].calls["ListClusters"]
	keys := make([]string, 5000)
	for i := range keys {
		keys[i] = fmt.Sprintf("AKIA%016d", i)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if d.rates.take(keys[i%len(keys)], c.rate) > 0 {
			b.Fatal("throttled")
		}
	}
}

package logs

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"berth/internal/access"
	"berth/internal/frontdoor"
	"berth/internal/logs"
	"berth/internal/logstore"
	"berth/internal/state/statetest"
)

// onDisk is an account whose logs are on the disk, with a group and so many streams, and a front door to it.
func onDisk(b *testing.B, streams int) (*account, *frontdoor.Door) {
	b.Helper()
	kept, err := logstore.Open(logstore.Config{Dir: b.TempDir(), MinFree: 1})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := kept.Close(); err != nil {
			b.Error(err)
		}
	})
	store := statetest.Open(b)
	a := &account{store: store, kept: kept, api: New(Config{State: store, Streams: kept, Groups: kept})}
	door := frontdoor.New(frontdoor.Config{
		Services: []frontdoor.Service{a.api.Service()}, Auth: frontdoor.AuthDev, DevPrincipal: access.Admin(testScope.Account), Account: testScope.Account,
	})
	put(b, door, "CreateLogGroup", `{"logGroupName":"g"}`)
	for i := range streams {
		put(b, door, "CreateLogStream", fmt.Sprintf(`{"logGroupName":"g","logStreamName":"s%d"}`, i))
	}
	return a, door
}

func put(b *testing.B, door *frontdoor.Door, operation, body string) {
	r := httptest.NewRequest("POST", "/", strings.NewReader(body))
	r.Header.Set("X-Amz-Target", "Logs_20140328."+operation)
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	w := httptest.NewRecorder()
	door.ServeHTTP(w, r)
	if w.Code != 200 {
		b.Errorf("%s: %d %s", operation, w.Code, w.Body)
	}
}

const benchLine = `10.0.3.17 - - [29/Nov/2026:21:15:04 +0000] \"GET /api/v1/orders/1234567 HTTP/1.1\" 200 1534 \"-\" \"curl/8.14.1\" rt=0.004 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx`

// batchOf is a request of 100 lines.
func batchOf(stream int, at int64) string {
	var body strings.Builder
	fmt.Fprintf(&body, `{"logGroupName":"g","logStreamName":"s%d","logEvents":[`, stream)
	for i := range 100 {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"timestamp":%d,"message":"%s"}`, at, benchLine)
	}
	body.WriteString("]}")
	return body.String()
}

// BenchmarkPutLogEvents writes batches of a hundred lines, from the request to the answer, through the front door.
func BenchmarkPutLogEvents(b *testing.B) {
	const writers = 64
	_, door := onDisk(b, writers)
	var left atomic.Int64
	left.Store(int64(b.N))
	var all sync.WaitGroup
	b.ResetTimer()
	cpu := processor()
	for w := range writers {
		body := batchOf(w, time.Now().UnixMilli())
		all.Go(func() {
			for left.Add(-1) >= 0 {
				put(b, door, "PutLogEvents", body)
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(100*b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric((processor()-cpu).Seconds()*1e6/float64(100*b.N), "cpu-us/event")
}

func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkLiveTail tells how far a live tail of one stream is behind while 20,000 lines a second are written to others: from before the request with
// the line to when it is out.
func BenchmarkLiveTail(b *testing.B) {
	const writers = 20
	a, door := onDisk(b, writers+1)
	answer, err := a.tail(b, fmt.Sprintf("s%d", writers))
	if err != nil {
		b.Fatal(err)
	}
	out, in := io.Pipe()
	flushed := make(chan []byte, 16)
	go func() {
		answer.Stream(b.Context(), in, func() error { return nil }) //nolint:errcheck // the end of the benchmark ends it
		in.Close()
	}()
	go func() {
		buffer := make([]byte, 1<<16)
		for {
			n, err := out.Read(buffer)
			if err != nil {
				return
			}
			flushed <- bytes.Clone(buffer[:n])
		}
	}()
	stop := make(chan struct{})
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			tick := time.NewTicker(100 * time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-tick.C:
					put(b, door, "PutLogEvents", batchOf(w, time.Now().UnixMilli()))
				case <-stop:
					return
				}
			}
		})
	}
	var behind []time.Duration
	for b.Loop() {
		time.Sleep(10 * time.Millisecond)
		begin := time.Now()
		message, _ := json.Marshal(fmt.Sprint("mark ", begin.UnixNano())) //nolint:errcheck // texts always marshal
		put(b, door, "PutLogEvents", fmt.Sprintf(`{"logGroupName":"g","logStreamName":"s%d","logEvents":[{"timestamp":%d,"message":%s}]}`, writers, begin.UnixMilli(), message))
		for !bytes.Contains(<-flushed, message[1:len(message)-1]) {
		}
		behind = append(behind, time.Since(begin))
	}
	close(stop)
	all.Wait()
	slices.SortFunc(behind, cmp.Compare[time.Duration])
	b.ReportMetric(float64(behind[len(behind)/2].Microseconds())/1000, "ms-p50")
	b.ReportMetric(float64(behind[len(behind)*99/100].Microseconds())/1000, "ms-p99")
}

// tail begins a live tail of one stream.
func (a *account) tail(b *testing.B, stream string) (*LiveTail, error) {
	b.Helper()
	g, err := group(a.store.View().Tables, testScope, "g")
	if err != nil {
		return nil, err
	}
	return &LiveTail{
		api: a.api, in: &cwl.StartLiveTailInput{}, account: testScope.Account, groups: []string{g.ID}, arns: map[string]string{g.ID: g.Arn},
		wants: func(_, s string, _ logs.Event) bool { return s == stream },
	}, nil
}

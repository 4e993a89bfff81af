package logstore

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"berth/internal/logs"
)

// line is about what a web server writes for a request.
var line = `10.0.3.17 - - [29/Nov/2026:21:15:04 +0000] "GET /api/v1/orders/1234567 HTTP/1.1" 200 1534 "-" "curl/8.14.1" rt=0.004 ` + strings.Repeat("x", 32)

// BenchmarkAppend writes as the awslogs driver does: many streams, each with a batch of a hundred lines at a time, and each waits until it is on the disk.
// It tells events a second, the processor time of an event, and the heap.
func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("%d_lines", size), func(b *testing.B) { benchmarkAppend(b, 64, size) })
	}
}

func benchmarkAppend(b *testing.B, writers, size int) {
	s, err := Open(Config{Dir: b.TempDir(), MinFree: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // it is thrown away
	events := make([]logs.Event, size)
	for i := range events {
		events[i].Message = line
	}
	for w := range writers {
		s.mustCreate(b, fmt.Sprintf("web/nginx/%032d", w))
	}
	var left atomic.Int64
	left.Store(int64(b.N))
	var all sync.WaitGroup
	b.ResetTimer()
	cpu := processor()
	for w := range writers {
		all.Go(func() {
			own := slices.Clone(events)
			for left.Add(-1) >= 0 {
				now := logs.At(time.Now())
				for i := range own {
					own[i].Time = now
				}
				if err := s.Append(b.Context(), stream(fmt.Sprintf("web/nginx/%032d", w)), own, now); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.StopTimer()
	written := float64(b.N * size)
	b.ReportMetric(written/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric((processor()-cpu).Seconds()*1e6/written, "cpu-us/event")
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapInuse)/(1<<20), "heap-MiB")
}

// processor is the time that the process has had of processors.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkRead reads a stream, and a group of a hundred streams.
func BenchmarkRead(b *testing.B) {
	s, err := Open(Config{Dir: b.TempDir(), MinFree: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // it is thrown away
	for i := range 100 {
		name := fmt.Sprintf("s%d", i)
		s.mustCreate(b, name)
		events := make([]logs.Event, 2000)
		for j := range events {
			events[j] = logs.Event{Time: logs.Time(j), Message: line}
		}
		if err := s.Append(b.Context(), stream(name), events, 1); err != nil {
			b.Fatal(err)
		}
	}
	for name, q := range map[string]logs.Query{
		"stream": {Group: group, Streams: []string{"s50"}}, "backward": {Group: group, Streams: []string{"s50"}, Backward: true}, "group": {Group: group},
	} {
		b.Run(name, func(b *testing.B) {
			read := 0
			for b.Loop() {
				for _, err := range s.Events(b.Context(), q) {
					if err != nil {
						b.Fatal(err)
					}
					read++
				}
			}
			b.ReportMetric(float64(read)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkTail tells how far a tail is behind while 50,000 events a second are written, from before the call that writes them.
func BenchmarkTail(b *testing.B) {
	s, err := Open(Config{Dir: b.TempDir(), MinFree: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // it is thrown away
	var tails Tails
	tail := tails.Follow(Following{Groups: []string{group}, MostEvents: 100000, MostBytes: 64 << 20})
	const writers, size = 50, 100
	var behind []time.Duration
	done := make(chan struct{})
	go func() {
		defer close(done)
		for len(behind) < b.N*size {
			<-tail.Ready
			events, _ := tail.Take(100000, 1<<30)
			for _, e := range events {
				behind = append(behind, time.Since(time.UnixMicro(int64(e.Time))))
			}
		}
	}()
	for w := range writers {
		s.mustCreate(b, fmt.Sprint(w))
	}
	b.ResetTimer()
	var left atomic.Int64
	left.Store(int64(b.N))
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			tick := time.NewTicker(time.Second * writers * size / 50000)
			defer tick.Stop()
			events := make([]logs.Event, size)
			for left.Add(-1) >= 0 {
				<-tick.C
				for i := range events {
					events[i] = logs.Event{Time: logs.Time(time.Now().UnixMicro()), Message: line}
				}
				if err := s.Append(b.Context(), stream(fmt.Sprint(w)), events, 1); err != nil {
					b.Error(err)
				}
				tails.Publish(stream(fmt.Sprint(w)), events, 1)
			}
		})
	}
	all.Wait()
	<-done
	slices.SortFunc(behind, cmp.Compare[time.Duration])
	b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(behind[len(behind)/2].Microseconds())/1000, "ms-p50")
	b.ReportMetric(float64(behind[len(behind)*99/100].Microseconds())/1000, "ms-p99")
}

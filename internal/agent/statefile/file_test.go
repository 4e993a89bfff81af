package statefile_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"berth/internal/agent/statefile"
)

func read(t *testing.T, f *statefile.File) map[string]string {
	t.Helper()
	got := map[string]string{}
	if err := f.Read(func(k string, v []byte) error { got[k] = string(v); return nil }); err != nil {
		t.Fatal(err)
	}
	return got
}

func open(t *testing.T, dir string) *statefile.File {
	t.Helper()
	f, err := statefile.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestKeepsOverReopen(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	for _, changes := range []map[string][]byte{{"a": []byte("1"), "b": []byte("2")}, {"a": nil, "c": []byte("3")}, {"b": []byte("4"), "gone": nil}} {
		if err := f.Write(context.Background(), changes); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	f = open(t, dir)
	defer f.Close()
	if diff := cmp.Diff(map[string]string{"b": "4", "c": "3"}, read(t, f)); diff != "" {
		t.Error(diff)
	}
}

func TestManyWriters(t *testing.T) {
	f := open(t, t.TempDir())
	defer f.Close()
	want := map[string]string{}
	var wg sync.WaitGroup
	for i := range 200 {
		k := fmt.Sprint("k", i)
		want[k] = "v"
		wg.Go(func() {
			if err := f.Write(context.Background(), map[string][]byte{k: []byte("v")}); err != nil {
				t.Error(err)
			}
			if err := f.Read(func(string, []byte) error { return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if diff := cmp.Diff(want, read(t, f)); diff != "" {
		t.Error(diff)
	}
}

func TestSecondAgentIsRefusedByName(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	defer f.Close()
	_, err := statefile.Open(dir)
	var in *statefile.InUseError
	if !errors.As(err, &in) || !strings.Contains(in.Owner, "pid") {
		t.Fatalf("opened twice: %v", err)
	}
}

func TestReaderFailure(t *testing.T) {
	f := open(t, t.TempDir())
	defer f.Close()
	if err := f.Write(context.Background(), map[string][]byte{"a": []byte("1")}); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	if err := f.Read(func(string, []byte) error { return broken }); !errors.Is(err, broken) || !strings.Contains(err.Error(), "key a") {
		t.Errorf("read returned %v", err)
	}
}

func BenchmarkWrite(b *testing.B) {
	f, err := statefile.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	value := make([]byte, 1500)
	n := 0
	for b.Loop() {
		n++
		if err := f.Write(context.Background(), map[string][]byte{fmt.Sprint("task/", n%100): value}); err != nil {
			b.Fatal(err)
		}
	}
}

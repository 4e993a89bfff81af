package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// snapshotOf is a client of a control plane that sends text as its snapshot, whole or not.
func snapshotOf(t *testing.T, text, complete string) *client {
	t.Helper()
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "X-Berth-Complete")
		w.Write([]byte(text)) //nolint:errcheck // the test sees what has arrived
		w.Header().Set("X-Berth-Complete", complete)
	}))
	t.Cleanup(h.Close)
	return &client{endpoint: h.URL, key: accessKey{"AKIDEXAMPLE", "secret"}, in: installation{Region: "us-east-1"}}
}

func TestSaveTo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "snap")
	if n, err := snapshotOf(t, "state", "yes").saveTo(t.Context(), file); err != nil || n != 5 {
		t.Fatalf("%d bytes, %v", n, err)
	}
	_, err := snapshotOf(t, "other", "yes").saveTo(t.Context(), file)
	if err == nil || !strings.Contains(err.Error(), file+" exists already") || !strings.Contains(err.Error(), "another file") {
		t.Errorf("over a file: %v", err)
	}
	if b, _ := os.ReadFile(file); string(b) != "state" {
		t.Errorf("the file holds %q now", b)
	}
}

func TestHalfASnapshotIsNone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "snap")
	if _, err := snapshotOf(t, "half", "").saveTo(t.Context(), file); err == nil || !strings.Contains(err.Error(), "broke off") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("the file is left")
	}
}

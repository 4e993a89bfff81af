package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"berth/internal/apierr"
	"berth/internal/state"
)

func TestHealthTellsOfLoopsThatEnded(t *testing.T) {
	s := &server{}
	health := func() (int, string) {
		w := httptest.NewRecorder()
		s.healthz(w, nil)
		return w.Code, w.Body.String()
	}
	if code, _ := health(); code != http.StatusOK {
		t.Errorf("%d before anything runs", code)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = s.loops.run(ctx, "asked to", func(context.Context) error { return nil }) // what it says is looked at below
	if code, _ := health(); code != http.StatusOK {
		t.Errorf("%d after a loop that was asked to end", code)
	}
	if err := s.loops.run(t.Context(), "the sweep", func(context.Context) error { return errors.New("oops") }); err == nil {
		t.Error("the loop's error is lost")
	}
	if code, text := health(); code != http.StatusInternalServerError || !strings.Contains(text, "the sweep has ended: oops") {
		t.Errorf("%d %s", code, text)
	}
}

func TestWaitingSaysWhy(t *testing.T) {
	h := waiting("It waits.")
	for path, want := range map[string]struct {
		code int
		text string
	}{
		"/healthz": {http.StatusOK, "ok"}, "/readyz": {http.StatusServiceUnavailable, "It waits."}, "/": {http.StatusServiceUnavailable, "It waits."},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != want.code || !strings.Contains(w.Body.String(), want.text) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

// TestUnconfirmed: a change whose fate is not known is said to be so, and an answer in words stays.
func TestUnconfirmed(t *testing.T) {
	lost := unconfirmed(fmt.Errorf("update: %w", state.ErrNotLeader))
	if e := new(apierr.Error); !errors.As(lost, &e) || e.Status != http.StatusServiceUnavailable || !strings.Contains(e.Message, "not known") || !errors.Is(lost, state.ErrNotLeader) {
		t.Errorf("a change that was not confirmed is answered %v", lost)
	}
	said := apierr.Unavailable("no leader").Because(state.ErrNotLeader)
	if got := unconfirmed(said); got != error(said) {
		t.Errorf("%v became %v", said, got)
	}
	if got := unconfirmed(nil); got != nil {
		t.Errorf("success became %v", got)
	}
}

package logstore

import (
	"strings"
	"testing"

	"berth/internal/logs"
)

func taken(t *testing.T, tail *Tail, most int) (text string, lost int) {
	t.Helper()
	events, lost := tail.Take(most, 70)
	for _, e := range events {
		text += e.Stream + ":" + e.Message + " "
	}
	return strings.TrimSpace(text), lost
}

func TestTail(t *testing.T) {
	var tails Tails
	tails.Publish(stream("s"), parse(t, "1 nobody"), 1)
	tail := tails.Follow(Following{Groups: []string{group, "other"}, MostEvents: 3, MostBytes: 100, Wants: func(_, s string, e logs.Event) bool { return e.Message != "no" }})
	tails.Publish(stream("s"), parse(t, "1 a", "2 no"), 1)
	tails.Publish(logs.StreamName{Group: "other", Name: "o"}, parse(t, "1 b"), 1)
	tails.Publish(logs.StreamName{Group: "third", Name: "o"}, parse(t, "1 c"), 1)
	<-tail.Ready
	if got, lost := taken(t, tail, 1); got != "s:a" || lost != 0 {
		t.Errorf("took %q, lost %d", got, lost)
	}
	<-tail.Ready // there is more
	if got, lost := taken(t, tail, 9); got != "o:b" || lost != 0 {
		t.Errorf("took %q, lost %d", got, lost)
	}
	tails.Publish(stream("s"), parse(t, "1 a", "2 b", "3 c", "4 d", "5 e"), 1)
	if got, lost := taken(t, tail, 9); got != "s:c s:d s:e" || lost != 2 {
		t.Errorf("took %q, lost %d", got, lost)
	}
	tails.Publish(stream("s"), parse(t, "1 "+strings.Repeat("x", 60), "2 "+strings.Repeat("y", 60)), 1)
	if got, lost := taken(t, tail, 9); got != "s:"+strings.Repeat("y", 60) || lost != 1 {
		t.Errorf("took %q, lost %d", got, lost)
	}
	if got, lost := taken(t, tail, 9); got != "" || lost != 0 {
		t.Errorf("took %q, lost %d", got, lost)
	}
	tails.Publish(stream("s"), parse(t, "1 a", "2 "+strings.Repeat("x", 69), "3 "+strings.Repeat("y", 30)), 1)
	for i, want := range []string{"s:a s:" + strings.Repeat("x", 69), "s:" + strings.Repeat("y", 30), ""} {
		if got, lost := taken(t, tail, 9); got != want || lost != 0 {
			t.Errorf("take %d: took %q, lost %d", i, got, lost)
		}
	}
	tails.Publish(stream("s"), parse(t, "1 "+strings.Repeat("x", 90)), 1)
	if got, _ := taken(t, tail, 9); got != "s:"+strings.Repeat("x", 90) {
		t.Errorf("of one event that is longer it took %q", got)
	}
	second := tails.Follow(Following{Groups: []string{group}, MostEvents: 3, MostBytes: 100})
	tails.Leave(tail)
	tails.Publish(stream("s"), parse(t, "1 a"), 1)
	if got, _ := taken(t, tail, 9); got != "" {
		t.Errorf("after its end it took %q", got)
	}
	if got, _ := taken(t, second, 9); got != "s:a" {
		t.Errorf("the other took %q", got)
	}
	tails.Leave(second)
	if len(tails.byGroup) != 0 {
		t.Errorf("%v are left", tails.byGroup)
	}
}

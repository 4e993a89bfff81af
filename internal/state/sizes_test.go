package state

import (
	"maps"
	"testing"

	"berth/internal/ecs"
)

func TestSizes(t *testing.T) {
	tables := newTables()
	for kind := range newCodec() {
		sizes := maps.Collect(tables.Sizes())
		if n, ok := sizes[kind]; !ok || n != 0 {
			t.Errorf("%s: %d, counted %v", kind, n, ok)
		}
	}
	tables.put(&ecs.Task{TaskArn: "a"}, false)
	tables.put(&ecs.Task{TaskArn: "b"}, false)
	tables.put(&ecs.Task{TaskArn: "a"}, true)
	if n := maps.Collect(tables.Sizes())[ecs.KindTask]; n != 1 {
		t.Errorf("%d tasks", n)
	}
}

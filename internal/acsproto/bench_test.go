package acsproto

import (
	"fmt"
	"testing"
)

// BenchmarkDecodeMetrics decodes what every instance publishes every 20 seconds: the usage of ten tasks.
func BenchmarkDecodeMetrics(b *testing.B) {
	m := PublishMetrics{Metadata: Metadata{Cluster: "demo", ContainerInstance: "i", MessageID: "m", Fin: true}, Timestamp: 1795404234.876}
	for i := range 10 {
		m.TaskMetrics = append(m.TaskMetrics, TaskMetrics{
			Task: fmt.Sprintf("arn:aws:ecs:us-east-1:000000000000:task/demo/%032x", i), Family: "web", Revision: "1",
			Containers: []ContainerMetrics{{Name: "app", CPU: StatsSet{4.3, 1.2, 20, 33.4}, Memory: StatsSet{44, 33, 20, 700}}},
		})
	}
	frame, err := Encode(m)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(frame); err != nil {
			b.Fatal(err)
		}
	}
}

package metrics

import (
	"context"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"berth/internal/ecs"
	"berth/internal/state"
)

// Known is what is asked for when somebody reads the metrics. A nil function is left out.
type Known struct {
	State *state.Store
	// Database is how large the replica's own database file is, and how much of it is in use.
	Database func() (size, used int64)
	// Sessions are how many ACS and TCS sessions are open.
	Sessions func() (acs, tcs int)
	// Agents are sums since the start: payload messages sent and acked, tasks that were told again, publications of telemetry.
	Agents func() AgentSums
	// Queues yield how many keys wait in each controller's loop.
	Queues map[string]func() int
	// Readers are how many read the stream of events.
	Readers func() int
	// Audit are how many records of the audit log were written, and lost, since the start.
	Audit func() (written, lost uint64)
}

// AgentSums count messages since the start of this process.
type AgentSums struct{ PayloadsSent, PayloadsAcked, OrdersResent, Publications uint64 }

// lagWithin is how long reading the metrics waits for the store to say how far it is.
const lagWithin = time.Second

// known collects it.
type known struct {
	Known
	leader, number, lag, waiting, kept, size, used, tasks, services, instances, sessions, queue, readers, sent, acked, resent, publications, audit *prometheus.Desc
}

// Ask adds what k knows to the metrics.
func (m *Metrics) Ask(k Known) {
	d := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("berth_"+name, help, labels, nil)
	}
	m.registry.MustRegister(&known{
		Known:        k,
		leader:       d("leader", "1 on the replica that writes, else 0."),
		number:       d("store_commit_number", "Number of the last commit that this replica knows."),
		lag:          d("store_lag_commits", "How many commits there are that this replica does not know yet; left out while the store does not answer."),
		waiting:      d("store_updates_waiting", "Updates that are not answered yet."),
		kept:         d("store_records", "Records that are kept, by kind.", "kind"),
		size:         d("store_database_bytes", "Size of the file of this replica's embedded etcd; it does not shrink, what is free in it is used again."),
		used:         d("store_database_in_use_bytes", "How much of that is in use: records, and their history until the next compaction."),
		tasks:        d("tasks", "Tasks by cluster, desired and last status.", "cluster", "desired_status", "last_status"),
		services:     d("services", "Services by cluster and status.", "cluster", "status"),
		instances:    d("container_instances", "Container instances by cluster, status and connection of the agent.", "cluster", "status", "agent_connected"),
		sessions:     d("agent_sessions", "Sessions of agents that are open here.", "kind"),
		queue:        d("reconcile_queue_depth", "Keys that wait for a look of a controller.", "loop"),
		audit:        d("audit_records_total", "Records of the audit log that were written, and that were lost because there were too many at once or the disk did not take them.", "outcome"),
		readers:      d("event_stream_readers", "Readers of the stream of events."),
		sent:         d("agent_payloads_sent_total", "Payload messages that were sent to agents."),
		acked:        d("agent_payloads_acked_total", "Payload messages that agents acked."),
		resent:       d("agent_orders_resent_total", "Tasks that agents were told again because they did not ack in time."),
		publications: d("agent_publications_total", "Messages of telemetry that agents sent."),
	})
}

// Describe is empty: what is collected depends on what is known.
func (k *known) Describe(chan<- *prometheus.Desc) {}

// Collect asks everybody.
func (k *known) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	if k.State != nil {
		k.store(gauge)
		k.records(gauge)
	}
	if k.Database != nil {
		size, used := k.Database()
		gauge(k.size, float64(size))
		gauge(k.used, float64(used))
	}
	if k.Sessions != nil {
		acs, tcs := k.Sessions()
		gauge(k.sessions, float64(acs), "acs")
		gauge(k.sessions, float64(tcs), "tcs")
	}
	if k.Agents != nil {
		sums := k.Agents()
		for d, n := range map[*prometheus.Desc]uint64{k.sent: sums.PayloadsSent, k.acked: sums.PayloadsAcked, k.resent: sums.OrdersResent, k.publications: sums.Publications} {
			out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n))
		}
	}
	for loop, depth := range k.Queues {
		gauge(k.queue, float64(depth()), loop)
	}
	if k.Audit != nil {
		written, lost := k.Audit()
		out <- prometheus.MustNewConstMetric(k.audit, prometheus.CounterValue, float64(written), "written")
		out <- prometheus.MustNewConstMetric(k.audit, prometheus.CounterValue, float64(lost), "lost")
	}
	if k.Readers != nil {
		gauge(k.readers, float64(k.Readers()))
	}
}

func (k *known) store(gauge func(*prometheus.Desc, float64, ...string)) {
	leader := 0.0
	if k.State.Leading() {
		leader = 1
	}
	gauge(k.leader, leader)
	gauge(k.number, float64(k.State.View().N))
	gauge(k.waiting, float64(k.State.Waiting()))
	ctx, cancel := context.WithTimeout(context.Background(), lagWithin)
	defer cancel()
	if lag, err := k.State.Lag(ctx); err == nil {
		gauge(k.lag, float64(lag))
	}
}

func (k *known) records(gauge func(*prometheus.Desc, float64, ...string)) {
	for kind, n := range k.State.View().Sizes() {
		gauge(k.kept, float64(n), string(kind))
	}
	for cluster, census := range k.State.View().Censuses() {
		name := string(cluster) // names of clusters may be there in several regions and accounts
		census.Tasks(func(desired, last ecs.TaskStatus, n int) {
			gauge(k.tasks, float64(n), name, string(desired), string(last))
		})
		census.Services(func(status string, n int) { gauge(k.services, float64(n), name, status) })
		census.Instances(func(status string, connected bool, n int) {
			gauge(k.instances, float64(n), name, status, strconv.FormatBool(connected))
		})
	}
}

package simulate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"berth/internal/acs"
	"berth/internal/ecs"
)

// tell queues a task for a report. The caller holds mu.
func (i *instance) tell(t *task) {
	if t.queued || i.ctx == nil {
		return
	}
	t.queued = true
	i.queue = append(i.queue, t)
	if i.reporting {
		return
	}
	i.reporting = true
	i.wg.Add(1)
	go i.report(i.ctx)
}

// report tells the control plane of one task after another until there is nothing to tell. What is not taken is tried again with a pause.
func (i *instance) report(ctx context.Context) {
	defer i.wg.Done()
	pause := 100 * time.Millisecond
	for {
		i.mu.Lock()
		if len(i.queue) == 0 || ctx.Err() != nil {
			i.reporting, i.queue = false, nil
			for _, t := range i.tasks {
				t.queued = false
			}
			i.mu.Unlock()
			return
		}
		t := i.queue[0]
		i.queue = i.queue[1:]
		t.queued = false
		in := stateChange(i.cluster, t)
		i.mu.Unlock()

		err := i.call(ctx, "SubmitTaskStateChange", in, nil)
		now := time.Now()
		var refused *apiError
		final := errors.As(err, &refused) && refused.Code == "InvalidParameterException"
		i.mu.Lock()
		if err == nil || final {
			pause = 100 * time.Millisecond
			i.taken(t, in.Status, now)
		} else if t.status == in.Status || t.status == "STOPPED" {
			i.tell(t)
		}
		i.mu.Unlock()
		if err == nil || final || ctx.Err() != nil {
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause/2 + rand.N(pause)):
			pause = min(2*pause, 10*time.Second)
		}
	}
}

// taken notes what the control plane knows now. The caller holds mu.
func (i *instance) taken(t *task, status string, now time.Time) {
	f := i.fleet
	f.Reports.Add(1)
	switch status {
	case "RUNNING":
		f.Running.Add(1)
	case "STOPPED":
		f.Stopped.Add(1)
		if i.tasks[t.arn] == t {
			delete(i.tasks, t.arn)
			f.Tasks.Add(-1)
		}
	}
	if f.Reported != nil {
		f.Reported(t.arn, status, now)
	}
	if t.status != status && !t.queued {
		i.tell(t)
	}
}

// change is a SubmitTaskStateChange as agents write it.
type change struct {
	Cluster            string            `json:"cluster"`
	Task               string            `json:"task"`
	Status             string            `json:"status"`
	Reason             string            `json:"reason,omitempty"`
	Containers         []containerChange `json:"containers,omitempty"`
	Attachments        []attached        `json:"attachments,omitempty"`
	PullStartedAt      float64           `json:"pullStartedAt,omitempty"`
	PullStoppedAt      float64           `json:"pullStoppedAt,omitempty"`
	ExecutionStoppedAt float64           `json:"executionStoppedAt,omitempty"`
}

type containerChange struct {
	Name      string `json:"containerName"`
	RuntimeID string `json:"runtimeId,omitempty"`
	Status    string `json:"status"`
	ExitCode  *int   `json:"exitCode,omitempty"`
}

// attached says that a task has its network interface.
type attached struct {
	AttachmentArn string `json:"attachmentArn"`
	Status        string `json:"status"`
}

func stateChange(cluster string, t *task) change {
	c := change{Cluster: cluster, Task: t.arn, Status: t.status}
	if len(t.containers) > 0 {
		c.PullStartedAt = seconds(t.began)
		c.PullStoppedAt = c.PullStartedAt
	}
	if t.status == "STOPPED" {
		c.ExecutionStoppedAt = seconds(time.Now())
		if t.exit == 1 {
			c.Reason = "Essential container in task exited"
		}
	}
	if t.attachment != "" {
		c.Attachments = []attached{{t.attachment, "ATTACHED"}}
	}
	id := t.arn[strings.LastIndexByte(t.arn, '/')+1:]
	for n, name := range t.containers {
		k := containerChange{Name: name, Status: t.status, RuntimeID: fmt.Sprintf("%s-%010d", id, n)}
		if t.status == "STOPPED" {
			k.ExitCode = &t.exit
		}
		c.Containers = append(c.Containers, k)
	}
	return c
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// attributes are what the machine says of itself, and that it can do.
func (m *machine) attributes() []attribute {
	out := append(capabilities(), attribute{"ecs.cpu-architecture", m.architecture}, attribute{"ecs.availability-zone", m.zone})
	if m.member == "" {
		return out
	}
	return append(out, attribute{ecs.AttributeMember, m.member}, attribute{ecs.AttributeVPC, ""}, attribute{ecs.AttributeInterfaces, strconv.Itoa(memberInterfaces)},
		attribute{ecs.AttributeTaskENI, ""}, attribute{"ecs.capability.extensible-ephemeral-storage", ""})
}

// memberInterfaces is how many network interfaces a member's tasks can have: more than the smallest tasks would fill it with.
const memberInterfaces = 1000

// capabilities are what the instances say they can do.
func capabilities() (out []attribute) {
	for _, v := range []string{"17", "18", "19", "20", "21", "22", "23", "24", "25", "28", "29", "30", "32"} {
		out = append(out, attribute{Name: "com.amazonaws.ecs.capability.docker-remote-api.1." + v})
	}
	for _, n := range []string{
		"com.amazonaws.ecs.capability.privileged-container", "com.amazonaws.ecs.capability.logging-driver.json-file",
		"com.amazonaws.ecs.capability.logging-driver.none", "ecs.capability.task-cpu-mem-limit", "ecs.capability.increased-task-cpu-limit",
		"ecs.capability.container-health-check", "ecs.capability.container-ordering", "ecs.capability.full-sync", "com.amazonaws.ecs.capability.task-iam-role",
	} {
		out = append(out, attribute{Name: n})
	}
	return append(out, attribute{"ecs.os-type", "linux"}, attribute{"ecs.os-family", "LINUX"})
}

type attribute struct {
	Name  string `json:"name"`
	Value string `json:"value,omitempty"`
}

type resource struct {
	Name           string   `json:"name"`
	Type           string   `json:"type"`
	IntegerValue   int      `json:"integerValue,omitempty"`
	StringSetValue []string `json:"stringSetValue,omitempty"`
}

// register joins, where the instance has no key, and registers; again and again until it succeeds or ctx ends.
func (i *instance) register(ctx context.Context) error {
	f := i.fleet
	in := map[string]any{
		"cluster": i.cluster, "instanceIdentityDocument": "", "instanceIdentityDocumentSignature": "",
		"totalResources": []resource{
			{Name: "CPU", Type: "INTEGER", IntegerValue: i.cpuUnits}, {Name: "MEMORY", Type: "INTEGER", IntegerValue: i.memoryMiB},
			{Name: "PORTS", Type: "STRINGSET", StringSetValue: []string{"22", "2375", "2376", "51678", "51679"}},
			{Name: "PORTS_UDP", Type: "STRINGSET"},
		},
		"attributes": i.attributes(),
	}
	return i.insist(ctx, func() error {
		if i.key.id == "" {
			id, secret, err := i.join(ctx)
			if err != nil {
				return err
			}
			i.key.id, i.key.secret, i.key.region = id, secret, f.Region
		}
		var out struct {
			ContainerInstance struct {
				Arn string `json:"containerInstanceArn"`
			} `json:"containerInstance"`
		}
		if err := i.call(ctx, "RegisterContainerInstance", in, &out); err != nil {
			return err
		}
		i.mu.Lock()
		i.arn = out.ContainerInstance.Arn
		i.mu.Unlock()
		f.Registered.Add(1)
		return nil
	})
}

func (i *instance) discover(ctx context.Context) (poll, telemetry string, err error) {
	in := map[string]any{"cluster": i.cluster, "containerInstance": i.known()}
	var out struct {
		Endpoint          string `json:"endpoint"`
		TelemetryEndpoint string `json:"telemetryEndpoint"`
	}
	err = i.insist(ctx, func() error { return i.call(ctx, "DiscoverPollEndpoint", in, &out) })
	return out.Endpoint, out.TelemetryEndpoint, err
}

// insist calls f until it succeeds, with growing pauses.
func (i *instance) insist(ctx context.Context, f func() error) error {
	pause := 100 * time.Millisecond
	for {
		err := f()
		if err == nil || ctx.Err() != nil {
			return err
		}
		if e := (*apiError)(nil); errors.As(err, &e) && e.Status/100 == 4 && !e.throttled() {
			if strings.Contains(strings.ToLower(e.Message), "inactive") {
				return fmt.Errorf("%w: %w", acs.ErrInactive, err)
			}
			return err
		}
		i.fleet.Log.Info("call failed, trying again", "instance", i.name, "err", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause/2 + rand.N(pause)):
			pause = min(2*pause, 10*time.Second)
		}
	}
}

// apiError is the control plane's own word.
type apiError struct {
	Status  int
	Code    string `json:"__type"`
	Message string `json:"message"`
}

func (e *apiError) Error() string { return fmt.Sprintf("%d %s: %s", e.Status, e.Code, e.Message) }

func (e *apiError) throttled() bool { return e.Code == "ThrottlingException" || e.Status == 429 }

func readError(status int, body []byte) *apiError {
	e := &apiError{Status: status}
	if json.Unmarshal(body, e) != nil || e.Code == "" {
		e.Code, e.Message = "unreadable", string(body)
	}
	e.Code = e.Code[strings.LastIndexByte(e.Code, '#')+1:]
	return e
}

package clients

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCLIPaginators goes through every list by the CLI, with pages of one item: the first two items, and the rest with the token that the CLI makes.
func TestCLIPaginators(t *testing.T) {
	t.Parallel()
	in := here(t)
	for _, l := range allLists(t, in) {
		t.Run(l.Operation, func(t *testing.T) {
			t.Parallel()
			got, token := cliList(t, in, l, "--max-items", "2", "--page-size", "1")
			if len(l.Want) > 2 {
				if len(got) != 2 || token == "" {
					t.Fatalf("%v: with --max-items 2 there are %d, and the token %q", l.Parameters, len(got), token)
				}
				rest, _ := cliList(t, in, l, "--starting-token", token, "--page-size", "1")
				got = append(got, rest...)
			}
			if d := cmp.Diff(l.Want, got); d != "" {
				t.Errorf("%v in two parts (-want +got):\n%s", l.Parameters, d)
			}
		})
	}
}

// cliList is what the CLI lists, and its token for the rest.
func cliList(t *testing.T, in *installation, l list, flags ...string) (got []string, token string) {
	t.Helper()
	parameters, err := json.Marshal(l.Parameters)
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"ecs", kebab(l.Operation), "--cli-input-json", string(parameters), "--output", "json"}, flags...)
	var out map[string]json.RawMessage
	if err := json.Unmarshal([]byte(in.aws(t, args...)), &out); err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	if next := out["NextToken"]; next != nil {
		if err := json.Unmarshal(next, &token); err != nil {
			t.Fatal(err)
		}
	}
	got = []string{}
	if l.Item == "" {
		err = json.Unmarshal(out[l.Result], &got)
	} else {
		var items []map[string]any
		err = json.Unmarshal(out[l.Result], &items)
		for _, item := range items {
			got = append(got, fmt.Sprint(item[l.Item]))
		}
	}
	if err != nil {
		t.Fatalf("%v: %v in %s", args, err, out[l.Result])
	}
	return got, token
}

// kebab is an operation's name as the CLI has it: "ListTasks" is "list-tasks".
func kebab(name string) string {
	return strings.ToLower(regexp.MustCompile(`\B[A-Z]`).ReplaceAllString(name, "-$0"))
}

// cliWaiters are the CLI's waiters. What waits for an operation that is not served tells so; one of its kind is enough.
var cliWaiters = map[string]func(*testing.T, *installation){
	"services-stable":                cliServicesStable,
	"services-inactive":              cliServicesInactive,
	"tasks-running":                  cliTasksRunning,
	"tasks-stopped":                  cliTasksStopped,
	"daemon-active":                  cliUnserved,
	"daemon-deployment-stopped":      nil,
	"daemon-deployment-successful":   nil,
	"daemon-task-definition-active":  nil,
	"daemon-task-definition-deleted": nil,
}

// TestCLIWaiters waits with each waiter that the CLI has.
func TestCLIWaiters(t *testing.T) {
	t.Parallel()
	in := here(t)
	_, said, err := in.tryAWS(t, "ecs", "wait", "nothing")
	if err == nil || !strings.Contains(said, "services-stable") {
		t.Fatalf("the CLI does not say which waiters it has: %v %s", err, said)
	}
	for name := range strings.FieldsSeq(regexp.MustCompile(`[^a-z-]`).ReplaceAllString(said, " ")) {
		if !regexp.MustCompile(`^(services|tasks?|daemon|capacity|cluster|container)-[a-z-]+$`).MatchString(name) {
			continue // other words of the message
		}
		wait, known := cliWaiters[name]
		if !known {
			t.Errorf("no test waits for %s", name)
		}
		if wait == nil {
			continue
		}
		t.Run(name, func(t *testing.T) { t.Parallel(); wait(t, in) })
	}
}

// cliUnserved waits for a daemon, of which none is served.
func cliUnserved(t *testing.T, in *installation) {
	_, said, err := in.tryAWS(t, "ecs", "wait", "daemon-active", "--daemon-arn", "arn:aws:ecs:us-east-1:000000000000:daemon/default/x")
	if err == nil || !strings.Contains(said, "UnsupportedOperationException") || !strings.Contains(said, "DescribeDaemon") {
		t.Errorf("the waiter says %v: %s", err, said)
	}
}

func cliServicesStable(t *testing.T, in *installation) {
	name := "cli-stable"
	cliFails(t, in, "MISSING", "services-stable", "--services", name)
	serve(t, in.client(), name, 2, sleeper(name))
	in.aws(t, "ecs", "wait", "services-stable", "--services", name)
	const query = "services[0].[runningCount,length(deployments),deployments[0].rolloutState]"
	if got := in.aws(t, "ecs", "describe-services", "--services", name, "--query", query, "--output", "text"); got != "2\t1\tCOMPLETED" {
		t.Errorf("after services-stable the service has %q", got)
	}
}

func cliServicesInactive(t *testing.T, in *installation) {
	name := "cli-inactive"
	cliFails(t, in, "MISSING", "services-inactive", "--services", name)
	serve(t, in.client(), name, 1, sleeper(name))
	in.aws(t, "ecs", "delete-service", "--service", name, "--force")
	in.aws(t, "ecs", "wait", "services-inactive", "--services", name)
	cliFails(t, in, "INACTIVE", "services-stable", "--services", name)
}

func cliTasksRunning(t *testing.T, in *installation) {
	task := cliRunTask(t, in, "cli-running", "[]")
	in.aws(t, "ecs", "wait", "tasks-running", "--tasks", task)
	if got := in.aws(t, "ecs", "describe-tasks", "--tasks", task, "--query", "tasks[0].lastStatus", "--output", "text"); got != "RUNNING" {
		t.Errorf("after tasks-running the task is %s", got)
	}
	cliFails(t, in, "MISSING", "tasks-running", "--tasks", strings.Repeat("0", 32))
}

func cliTasksStopped(t *testing.T, in *installation) {
	task := cliRunTask(t, in, "cli-stopped", `[{"name": "main", "command": ["sh", "-c", "exit 3"]}]`)
	in.aws(t, "ecs", "wait", "tasks-stopped", "--tasks", task)
	const query = "tasks[0].[lastStatus,stopCode,containers[0].exitCode]"
	if got := in.aws(t, "ecs", "describe-tasks", "--tasks", task, "--query", query, "--output", "text"); got != "STOPPED\tEssentialContainerExited\t3" {
		t.Errorf("after tasks-stopped the task is %q", got)
	}
	cliFails(t, in, "STOPPED", "tasks-running", "--tasks", task)
}

// cliFails waits in vain: what the waiter sees makes it give up.
func cliFails(t *testing.T, in *installation, because, waiter string, args ...string) {
	t.Helper()
	_, said, err := in.tryAWS(t, append([]string{"ecs", "wait", waiter}, args...)...)
	if err == nil || !strings.Contains(said, "terminal failure state") || !strings.Contains(said, because) {
		t.Errorf("%s %v gave up with %v: %s", waiter, args, err, said)
	}
}

// cliRunTask runs a task of a family of its own, and returns its ARN.
func cliRunTask(t *testing.T, in *installation, family, overrides string) string {
	t.Helper()
	if _, err := in.client().RegisterTaskDefinition(t.Context(), sleeper(family)); err != nil {
		t.Fatal(err)
	}
	return in.aws(t, "ecs", "run-task", "--task-definition", family, "--overrides", `{"containerOverrides": `+overrides+`}`, "--query", "tasks[0].taskArn", "--output", "text")
}

package logs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/cryptotest"

	"github.com/cockroachdb/pebble/v2/vfs"

	"berth/internal/access"
	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/awswire"
	"berth/internal/frontdoor"
	"berth/internal/logstore"
	"berth/internal/state"
	"berth/internal/state/statetest"
)

var testScope = arn.Scope{Partition: "aws", Region: "us-east-1", Account: "123456789012"}

// account is an AWS account, and a way to ask CloudWatch Logs' operations as a client does: in JSON. Its random numbers are the same in each run.
type account struct {
	store *state.Store
	kept  *logstore.Store
	api   *API
	ops   map[string]frontdoor.Operation
	plans map[reflect.Type]*awswire.Plan
}

func newAccount(t testing.TB) *account {
	t.Helper()
	kept, err := logstore.Open(logstore.Config{Dir: "logs", FS: vfs.NewMem(), MinFree: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := kept.Close(); err != nil {
			t.Error(err)
		}
	})
	store := statetest.Open(t)
	a := &account{
		store: store, kept: kept, api: New(Config{State: store, Streams: kept, Groups: kept, MostGroups: 100, MostTails: 2}),
		ops: map[string]frontdoor.Operation{}, plans: map[reflect.Type]*awswire.Plan{},
	}
	names := awswire.NewCompiler(a.api.Service().Names)
	for _, o := range a.api.Service().Operations {
		a.ops[o.Name] = o
		a.plans[o.Input], a.plans[o.Output] = names.Plan(o.Input), names.Plan(o.Output)
	}
	return a
}

func seeded(t *testing.T) *account {
	t.Helper()
	cryptotest.SetGlobalRandom(t, 1)
	return newAccount(t)
}

// call makes one call and returns what the operation does.
func (a *account) call(t testing.TB, operation, body string) (any, *apierr.Error) {
	t.Helper()
	o, ok := a.ops[operation]
	if !ok {
		t.Fatalf("no operation %s", operation)
	}
	in := reflect.New(o.Input)
	sent, err := a.plans[o.Input].DecodeJSON([]byte(body), in.Interface())
	if err != nil {
		t.Fatalf("%s %s: %v", operation, body, err)
	}
	r := &frontdoor.Request{ID: "request", Scope: testScope, Sent: sent, Caller: access.Admin(testScope.Account)}
	if o.Resources != nil {
		o.Resources(r, in.Interface())
	}
	out, err := o.Call(t.Context(), r, in.Interface())
	if err != nil {
		return nil, apierr.As(err)
	}
	return out, nil
}

// ask makes one call and returns the answer as JSON, or the API's error.
func (a *account) ask(t testing.TB, operation, body string) ([]byte, *apierr.Error) {
	t.Helper()
	out, err := a.call(t, operation, body)
	if err != nil {
		return nil, err
	}
	return a.plans[a.ops[operation].Output].EncodeJSON(out), nil
}

// must asks a request that succeeds, and reads the answer.
func (a *account) must(t testing.TB, operation, body string) map[string]any {
	t.Helper()
	out, failed := a.ask(t, operation, body)
	if failed != nil {
		t.Fatalf("%s %.300s: %v", operation, body, failed)
	}
	var answer map[string]any
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// tell asks a line's request and returns the answer for a golden file.
func (a *account) tell(t testing.TB, line string) string {
	t.Helper()
	operation, body, _ := strings.Cut(line, " ")
	out, failed := a.ask(t, operation, body)
	if failed != nil {
		return fmt.Sprintf("%s: %s\n", failed.Code, failed.Message)
	}
	if bytes.Equal(out, []byte("{}")) {
		return "{}\n"
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, out, "", "  "); err != nil {
		t.Fatal(err)
	}
	return pretty.String() + "\n"
}

package ssm

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/cryptotest"

	"berth/internal/access"
	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/awswire"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/policy"
	"berth/internal/seal"
	"berth/internal/state"
	"berth/internal/state/statetest"
)

var testScope = arn.Scope{Partition: "aws", Region: "us-east-1", Account: "123456789012"}

// account is an AWS account, and a way to ask Systems Manager's operations as a client does: in JSON. Its random numbers are the same in each run.
type account struct {
	store  *state.Store
	api    *API
	caller policy.Principal
	ops    map[string]frontdoor.Operation
	plans  map[reflect.Type]*awswire.Plan
	ids    []string // that answers have shown
	code   string   // of the last activation
}

func newAccount(t testing.TB, records ...ecs.Record) *account {
	t.Helper()
	return accountIn(t, statetest.Open(t, records...))
}

func accountIn(t testing.TB, store *state.Store) *account {
	t.Helper()
	key, err := seal.ParseKey(bytes.Repeat([]byte("k"), seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	a := &account{
		store: store, api: New(Config{State: store, Seal: key}), caller: access.Admin(testScope.Account),
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

// tester is what asking needs of a test, and of a property's run.
type tester interface {
	Helper()
	Context() context.Context
	Fatalf(format string, args ...any)
}

// ask makes one call and returns the answer as JSON, or the API's error.
func (a *account) ask(t tester, operation, body string) ([]byte, *apierr.Error) {
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
	r := &frontdoor.Request{Scope: testScope, Sent: sent, Caller: a.caller}
	asked(o, r, in.Interface())
	out, err := o.Call(t.Context(), r, in.Interface())
	if err != nil {
		return nil, apierr.As(err)
	}
	return a.plans[o.Output].EncodeJSON(out), nil
}

// asked calls what the door asks of an operation before it calls it.
func asked(o frontdoor.Operation, r *frontdoor.Request, in any) (resources []string) {
	if o.Resources != nil {
		resources = o.Resources(r, in)
	}
	if o.Keys != nil {
		r.Keys = o.Keys(r, in)
	}
	for _, resource := range resources {
		if o.ResourcePolicy != nil {
			o.ResourcePolicy(r, resource)
		}
	}
	return resources
}

// put puts records into the store.
func (a *account) put(t testing.TB, records ...ecs.Record) {
	t.Helper()
	if err := a.store.Update(t.Context(), func(tx *state.Tx) error {
		for _, r := range records {
			tx.Put(r)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
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

// What is random or sealed is shown as what it is.
var (
	sealedText     = regexp.MustCompile(`"[A-Za-z0-9+/=]{40,}"`)
	activationCode = regexp.MustCompile(`"ActivationCode": "(\w{20})"`)
	made           = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mi-[0-9a-f]{17}`)
)

// tell asks a line's request and returns the answer for a golden file.
func (a *account) tell(t testing.TB, line string) string {
	t.Helper()
	operation, body, _ := strings.Cut(line, " ")
	out, failed := a.ask(t, operation, a.known(body))
	if failed != nil {
		return a.named(fmt.Sprintf("%s: %s\n", failed.Code, failed.Message))
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, out, "", "  "); err != nil {
		t.Fatal(err)
	}
	if m := activationCode.FindStringSubmatch(pretty.String()); m != nil {
		a.code = m[1]
	}
	return sealedText.ReplaceAllString(a.named(pretty.String()+"\n"), `"SEALED"`)
}

// named is a text with the ids that were made replaced by #1, #2 and so on; known puts them back.
func (a *account) named(text string) string {
	return made.ReplaceAllStringFunc(text, func(id string) string {
		n := slices.Index(a.ids, id)
		if n < 0 {
			n, a.ids = len(a.ids), append(a.ids, id)
		}
		return fmt.Sprintf("#%d", n+1)
	})
}

func (a *account) known(text string) string {
	for n, id := range a.ids {
		text = strings.ReplaceAll(text, fmt.Sprintf(`"#%d"`, n+1), `"`+id+`"`)
	}
	return text
}

// wrong is a request that must be refused, and how.
type wrong struct{ operation, body, code, message string }

// refuses checks that each wrong request gets its error and that the store has not changed.
func (a *account) refuses(t *testing.T, tests []wrong) {
	t.Helper()
	before := a.store.View().N
	for _, test := range tests {
		t.Run(fmt.Sprintf("%s %.80s", test.operation, test.body), func(t *testing.T) {
			out, err := a.ask(t, test.operation, test.body)
			if err == nil {
				t.Fatalf("accepted: %s", out)
			}
			if err.Code != test.code || err.Message != test.message {
				t.Errorf("got  %s: %s\nwant %s: %s", err.Code, err.Message, test.code, test.message)
			}
			if n := a.store.View().N; n != before {
				t.Errorf("the store has changed: commit %d after %d", n, before)
			}
		})
	}
}

package iam

import (
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/cryptotest"

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

// account is an AWS account, and a way to ask IAM's operations as a client does: with the parameters of a query, answered in XML. Its random numbers are the
// same in each run.
type account struct {
	store  *state.Store
	api    *API
	ops    map[string]frontdoor.Operation
	in     map[string]*awswire.Plan
	out    map[string]*awswire.Plan
	ids    map[string][]string // that answers have shown, by prefix
	caller policy.Principal
}

func newAccount(t *testing.T, records ...ecs.Record) *account {
	t.Helper()
	cryptotest.SetGlobalRandom(t, 1)
	return openAccount(t, records...)
}

// openAccount is an account with random numbers that are not the same in each run.
func openAccount(t testing.TB, records ...ecs.Record) *account {
	t.Helper()
	key, err := seal.ParseKey(make([]byte, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	store := statetest.Open(t, records...)
	a := &account{
		store: store, api: New(Config{State: store, Seal: key}), ops: map[string]frontdoor.Operation{}, in: map[string]*awswire.Plan{},
		out: map[string]*awswire.Plan{}, ids: map[string][]string{},
		caller: policy.Principal{ARN: "arn:aws:iam::123456789012:user/team/caller", Account: testScope.Account},
	}
	c := awswire.NewCompiler(awswire.GoNames)
	for _, o := range a.api.Service().Operations {
		a.ops[o.Name], a.in[o.Name], a.out[o.Name] = o, c.Plan(o.Input), c.Plan(o.Output)
	}
	return a
}

// decode reads a request.
func (a *account) decode(t testing.TB, operation string, parameters url.Values) (frontdoor.Operation, any, *frontdoor.Request) {
	t.Helper()
	o, ok := a.ops[operation]
	if !ok {
		t.Fatalf("no operation %s", operation)
	}
	in := reflect.New(o.Input).Interface()
	sent, err := a.in[operation].DecodeQuery(parameters, in)
	if err != nil {
		t.Fatalf("%s %v: %v", operation, parameters, err)
	}
	return o, in, &frontdoor.Request{Scope: testScope, Sent: sent, Caller: a.caller}
}

// ask makes one call and returns the answer, as it is on the wire, or the API's error.
func (a *account) ask(t testing.TB, operation string, parameters url.Values) (string, *apierr.Error) {
	t.Helper()
	o, in, r := a.decode(t, operation, parameters)
	o.Resources(r, in) // must not fail, whatever the request is
	out, err := o.Call(t.Context(), r, in)
	if err != nil {
		return "", apierr.As(err)
	}
	return string(a.out[operation].EncodeQuery(operation, "ns", "id", out)), nil
}

// documents are the policies that a request's line may name with $.
var documents = map[string]string{
	"trust":   `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}`,
	"ec2":     `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`,
	"read":    `{"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow","Action":["ecs:Describe*","ecs:List*"],"Resource":"*"}]}`,
	"run":     `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecs:RunTask","Resource":"arn:aws:ecs:us-east-1:123456789012:task-definition/web:*"}]}`,
	"deny":    `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"ecs:Delete*","Resource":"*"}]}`,
	"alice":   `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/alice"},"Action":"sts:AssumeRole"}}`,
	"task":    `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:role/task"},"Action":"sts:AssumeRole"}}`,
	"account": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":["123456789012","arn:aws:iam::210987654321:root"]},"Action":"sts:AssumeRole"}}`,
	"tagged": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecs:*","Resource":"*",` +
		`"Condition":{"StringEquals":{"aws:ResourceTag/team":"${aws:username}","ecs:cluster":"arn:aws:ecs:us-east-1:123456789012:cluster/a"}}}]}`,
}

var (
	parameter = regexp.MustCompile(`(\S+?)=("(?:[^"\\]|\\.)*"|\S*)`)
	madeID    = regexp.MustCompile(`\b(AIDA|AGPA|AROA|AIPA|ANPA|AKIA)([A-Z2-7]{16,17})\b`)
	shownID   = regexp.MustCompile(`\b(AIDA|AGPA|AROA|AIPA|ANPA|AKIA)#([0-9]+)`)
	secret    = regexp.MustCompile(`<SecretAccessKey>.{40}</SecretAccessKey>`)
	between   = regexp.MustCompile(`>\s*<`)
)

// request reads a line: an operation and its parameters, NAME=VALUE. A value with spaces is quoted, $read stands for a document, and AKIA#1 for the first id
// with that prefix that an answer showed.
func (a *account) request(t testing.TB, line string) (operation string, parameters url.Values) {
	t.Helper()
	operation, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	parameters = url.Values{}
	for _, m := range parameter.FindAllStringSubmatch(rest, -1) {
		value := m[2]
		if strings.HasPrefix(value, `"`) {
			var err error
			if value, err = strconv.Unquote(value); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
		}
		if name, is := strings.CutPrefix(value, "$"); is {
			if value = documents[name]; value == "" {
				t.Fatalf("%s: no document %s", line, name)
			}
		}
		parameters.Add(m[1], shownID.ReplaceAllStringFunc(value, func(id string) string { return a.known(t, id) }))
	}
	return operation, parameters
}

// known is the id that a name like AKIA#1 stands for.
func (a *account) known(t testing.TB, name string) string {
	t.Helper()
	m := shownID.FindStringSubmatch(name)
	n, _ := strconv.Atoi(m[2])
	if n < 1 || n > len(a.ids[m[1]]) {
		t.Fatalf("no answer has shown %s", name)
	}
	return m[1] + a.ids[m[1]][n-1]
}

// named is a text with its ids replaced by their names.
func (a *account) named(text string) string {
	return madeID.ReplaceAllStringFunc(text, func(id string) string {
		m := madeID.FindStringSubmatch(id)
		n := slices.Index(a.ids[m[1]], m[2])
		if n < 0 {
			n, a.ids[m[1]] = len(a.ids[m[1]]), append(a.ids[m[1]], m[2])
		}
		return m[1] + "#" + strconv.Itoa(n+1)
	})
}

// tell asks a line's request and returns the answer or error for a golden file, an element a line.
func (a *account) tell(t testing.TB, line string) string {
	t.Helper()
	operation, parameters := a.request(t, line)
	out, failed := a.ask(t, operation, parameters)
	if failed != nil {
		return a.named(failed.Code + ": " + failed.Message + "\n")
	}
	return a.named(secret.ReplaceAllString(indent(out, operation), "<SecretAccessKey>of 40 characters</SecretAccessKey>"))
}

// must asks a request that succeeds.
func (a *account) must(t testing.TB, line string) string {
	t.Helper()
	operation, parameters := a.request(t, line)
	out, failed := a.ask(t, operation, parameters)
	if failed != nil {
		t.Fatalf("%s: %v", line, failed)
	}
	return a.named(out)
}

// indent is an answer with an element a line, without what is in every answer.
func indent(answer, operation string) string {
	_, body, _ := strings.Cut(answer, "<"+operation+"Result>")
	body, _, _ = strings.Cut(body, "</"+operation+"Result>")
	var out strings.Builder
	depth := 0
	for line := range strings.SplitSeq(between.ReplaceAllString(body, ">\n<"), "\n") {
		if line == "" {
			continue
		}
		closes := strings.HasPrefix(line, "</")
		if closes {
			depth--
		}
		out.WriteString(strings.Repeat("  ", depth+1) + line + "\n")
		if !closes && !strings.Contains(line, "</") {
			depth++
		}
	}
	return out.String()
}

// put puts records into the store.
func (a *account) put(t testing.TB, records ...ecs.Record) {
	t.Helper()
	for len(records) > 0 {
		n := min(100, len(records))
		if err := a.store.Update(t.Context(), func(tx *state.Tx) error {
			for _, r := range records[:n] {
				tx.Put(r)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		records = records[n:]
	}
}

// wrong is a request that must be refused, and how.
type wrong struct{ line, code, message string }

// refuses checks that each wrong request gets its error and that the store has not changed.
func (a *account) refuses(t *testing.T, tests []wrong) {
	t.Helper()
	before := a.store.View().N
	for _, test := range tests {
		t.Run(test.line, func(t *testing.T) {
			operation, parameters := a.request(t, test.line)
			out, err := a.ask(t, operation, parameters)
			if err == nil {
				t.Fatalf("accepted: %s", a.named(out))
			}
			if got := a.named(err.Message); err.Code != test.code || got != test.message {
				t.Errorf("got %s: %s\nwant %s: %s", err.Code, got, test.code, test.message)
			}
			if n := a.store.View().N; n != before {
				t.Errorf("the store has changed: commit %d after %d", n, before)
			}
		})
	}
}

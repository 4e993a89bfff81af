package ec2

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
	"berth/internal/state"
	"berth/internal/state/statetest"
)

var testScope = arn.Scope{Partition: "aws", Region: "us-east-1", Account: "123456789012"}

// account is an AWS account, and a way to ask EC2's operations as a client does: with the parameters of a query, answered in XML. Its random numbers are
// the same in each run.
type account struct {
	store *state.Store
	ops   map[string]frontdoor.Operation
	in    map[string]*awswire.Plan
	out   map[string]*awswire.Plan
	ids   map[string][]string // that answers have shown, by prefix
}

func newAccount(t *testing.T, records ...ecs.Record) *account {
	t.Helper()
	cryptotest.SetGlobalRandom(t, 1)
	return openAccount(t, records...)
}

// openAccount is an account with random numbers that are not the same in each run.
func openAccount(t testing.TB, records ...ecs.Record) *account {
	t.Helper()
	a := &account{
		store: statetest.Open(t, records...), ops: map[string]frontdoor.Operation{}, in: map[string]*awswire.Plan{}, out: map[string]*awswire.Plan{},
		ids: map[string][]string{},
	}
	requests, answers := awswire.NewCompiler(awswire.GoNames), awswire.NewCompiler(awswire.LowerCamel)
	for _, o := range New(Config{State: a.store}).Service().Operations {
		a.ops[o.Name], a.in[o.Name], a.out[o.Name] = o, requests.Plan(o.Input), answers.Plan(o.Output)
	}
	return a
}

// ask makes one call and returns the answer, as it is on the wire, or the API's error.
func (a *account) ask(t testing.TB, operation string, parameters url.Values) (string, *apierr.Error) {
	t.Helper()
	o, ok := a.ops[operation]
	if !ok {
		t.Fatalf("no operation %s", operation)
	}
	in := reflect.New(o.Input)
	sent, err := a.in[operation].DecodeQuery(parameters, in.Interface())
	if err != nil {
		t.Fatalf("%s %v: %v", operation, parameters, err)
	}
	out, err := o.Call(t.Context(), &frontdoor.Request{Scope: testScope, Sent: sent, Caller: policy.Principal{ARN: "caller"}}, in.Interface())
	if err != nil {
		return "", apierr.As(err)
	}
	return string(a.out[operation].EncodeEC2(operation, "ns", "id", out)), nil
}

// request reads a line: an operation and its parameters, NAME=VALUE. A value with spaces is quoted; vpc-#1 stands for the first id with the prefix vpc- that
// an answer showed.
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
		parameters.Add(m[1], shownID.ReplaceAllStringFunc(value, func(id string) string { return a.known(t, id) }))
	}
	return operation, parameters
}

var (
	parameter = regexp.MustCompile(`(\S+?)=("(?:[^"\\]|\\.)*"|\S*)`)
	madeID    = regexp.MustCompile(`\b([a-z]+(?:-[a-z]+)*-)(0[0-9a-f]{16})\b`)
	shownID   = regexp.MustCompile(`\b([a-z]+(?:-[a-z]+)*-)#([0-9]+)\b`)
	between   = regexp.MustCompile(`>\s*<`)
)

// known is the id that a name like vpc-#1 stands for.
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
		if strings.Trim(m[2], "0") == "" { // a test's own, of nothing
			return id
		}
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
	return a.named(indent(out, operation))
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
	_, body, _ := strings.Cut(answer, "<requestId>id</requestId>")
	body = strings.TrimSuffix(body, "</"+operation+"Response>")
	var out strings.Builder
	depth := 0
	for line := range strings.SplitSeq(between.ReplaceAllString(body, ">\n<"), "\n") {
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
	if err := a.store.Update(t.Context(), func(tx *state.Tx) error {
		for _, r := range records {
			tx.Put(r)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// wrong is a request that must be refused, and how. Ids are those that the lines before it have shown.
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

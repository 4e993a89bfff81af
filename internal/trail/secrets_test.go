package trail

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"berth/internal/api/berth"
	"berth/internal/api/ec2"
	"berth/internal/api/ecr"
	"berth/internal/api/ecs"
	"berth/internal/api/iam"
	"berth/internal/api/logs"
	"berth/internal/api/secretsmanager"
	"berth/internal/api/ssm"
	"berth/internal/api/sts"
	"berth/internal/apierr"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/state/mem"
)

// suspicious are names of members that can hold a secret; harmless those of them that hold none: places in lists, tokens that make a request idempotent, names.
var (
	suspicious = regexp.MustCompile(`(?i)\.[^.]*(secret|password|token|privatekey|authorization|activationcode|keymaterial|userdata|environment|assertion|seed|` +
		`repositorycredentials|logevents)[^.]*$|^ssm\.(PutParameterInput|Parameter|ParameterHistory)\.Value$`)
	harmless = regexp.MustCompile(`(?i)\.(nexttoken|client(request)?token|idempotencytoken|secretid|secretlist|.*versionid|(next)?sequencetoken|secretidlist|next(forward|backward)token|` +
		`password(lastused|resetrequired)|secrettobe.*|subjectfromwebidentitytoken)$`)
)

// fill puts a text that names the member into every text of a value.
func fill(v reflect.Value, name string, depth int) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("<" + name + ">")
	case reflect.Pointer:
		if depth > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), name, depth)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte("<" + name + ">"))
			return
		}
		if depth > 0 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			fill(v.Index(0), name, depth-1)
		}
	case reflect.Map:
		if depth > 0 && v.Type().Key().Kind() == reflect.String {
			e := reflect.New(v.Type().Elem()).Elem()
			fill(e, name, depth-1)
			v.Set(reflect.MakeMap(v.Type()))
			v.SetMapIndex(reflect.ValueOf("key").Convert(v.Type().Key()), e)
		}
	case reflect.Struct:
		pkg := v.Type().PkgPath()
		for _, part := range []string{"/service/", "/internal/api/"} {
			if _, rest, ok := strings.Cut(pkg, part); ok {
				pkg, _, _ = strings.Cut(rest, "/")
			}
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				fill(v.Field(i), pkg+"."+v.Type().Name()+"."+f.Name, depth-1)
			}
		}
	}
}

func allServices(t *testing.T) []frontdoor.Service {
	s := state.New(state.Config{Backend: mem.NewCluster().Backend(), Address: "a"})
	return []frontdoor.Service{
		ecs.New(ecs.Config{State: s}).Service(), ec2.New(ec2.Config{State: s}).Service(), iam.New(iam.Config{State: s}).Service(), sts.New(nil).Service(),
		secretsmanager.New(secretsmanager.Config{State: s}).Service(), ssm.New(ssm.Config{State: s}).Service(), logs.New(logs.Config{State: s}).Service(),
		ecr.New(ecr.Config{State: s}).Service(), (&berth.API{State: s}).Service(),
	}
}

// TestNoSecrets: no member of any request or answer of any service that can hold a secret is in a record. One that a service gains fails it.
func TestNoSecrets(t *testing.T) {
	e, shown := newEncoder(), regexp.MustCompile(`<[^>]*>`)
	checked, hid := 0, 0
	var leaks []string
	for _, s := range allServices(t) {
		for _, o := range s.Operations {
			in, out := reflect.New(o.Input), reflect.New(o.Output)
			fill(in.Elem(), "", 8)
			fill(out.Elem(), "", 8)
			for _, failed := range []*apierr.Error{nil, apierr.ClusterNotFound()} {
				a := &frontdoor.Audited{Service: s.Name, Operation: o.Name, Request: &frontdoor.Request{}, In: in.Interface(), Out: out.Interface(), Failure: failed}
				line := string(e.line(e.call(a)))
				hid += strings.Count(line, "HIDDEN_DUE_TO_SECURITY_REASONS")
				for _, m := range shown.FindAllString(line, -1) {
					checked++
					if name := strings.Trim(m, "<>"); suspicious.MatchString(name) && !harmless.MatchString(name) {
						leaks = append(leaks, fmt.Sprintf("%s:%s shows %s", s.Name, o.Name, name))
					}
				}
			}
		}
	}
	slices.Sort(leaks)
	for _, l := range slices.Compact(leaks) {
		t.Error(l)
	}
	if checked < 1000 || hid < 20 {
		t.Errorf("only %d members were looked at, %d hidden", checked, hid)
	}
}

// TestReadsAnswerNothing: what only reads has no response elements, but for STS, whose credentials show their id.
func TestReadsAnswerNothing(t *testing.T) {
	e := newEncoder()
	for _, s := range allServices(t) {
		for _, o := range s.Operations {
			out := reflect.New(o.Output)
			fill(out.Elem(), "", 3)
			r := e.call(&frontdoor.Audited{Service: s.Name, Operation: o.Name, Request: &frontdoor.Request{}, Out: out.Interface(), At: time.Now()})
			if r.ReadOnly && s.Name != "sts" && string(r.ResponseElements) != "null" {
				t.Errorf("%s:%s reads and shows %s", s.Name, o.Name, r.ResponseElements)
			}
			if !r.ReadOnly && o.ReadOnly {
				t.Errorf("%s:%s only reads, and the record says that it does not", s.Name, o.Name)
			}
		}
	}
}

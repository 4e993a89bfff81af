package ssm

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"berth/internal/secret"
	"berth/internal/state"
	"berth/internal/state/mem"
	"berth/internal/state/statetest"
)

// Whatever is put and labelled, in whatever order: versions are numbered without a gap, a label is on one version, the newest value is the one that was
// put last, and every version opens to what was put.
func TestLaws(t *testing.T) {
	a := newAccount(t)
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		name := fmt.Sprint("p", n)
		values := []string{"first"}
		a.ask(t, "PutParameter", `{"Name":"`+name+`","Value":"first","Type":"SecureString"}`)
		for range rapid.IntRange(1, 25).Draw(t, "requests") {
			label := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "label")
			version := fmt.Sprint(rapid.IntRange(1, 4).Draw(t, "version"))
			switch rapid.IntRange(0, 2).Draw(t, "kind") {
			case 0:
				values = append(values, fmt.Sprint("value", len(values)))
				if _, err := a.ask(t, "PutParameter", `{"Name":"`+name+`","Value":"`+values[len(values)-1]+`","Overwrite":true}`); err != nil {
					t.Fatal(err)
				}
			case 1:
				_, err := a.ask(t, "LabelParameterVersion", `{"Name":"`+name+`","Labels":["`+label+`"],"ParameterVersion":`+version+`}`)
				if there := version <= fmt.Sprint(len(values)) || len(values) > 9; there != (err == nil) {
					t.Fatalf("version %s of %d: %v", version, len(values), err)
				}
			case 2:
				a.ask(t, "UnlabelParameterVersion", `{"Name":"`+name+`","Labels":["`+label+`"],"ParameterVersion":`+version+`}`)
			}
			a.lawful(t, name, values)
		}
	})
}

func (a *account) lawful(t *rapid.T, name string, values []string) {
	v := a.store.View()
	p, err := findPlain(v.Tables, testScope, name)
	if err != nil {
		t.Fatal(err)
	}
	var labels []string
	next := 0
	for version := range versions(v.Tables, p) {
		text, err := a.api.shown(p.Arn, version, true)
		if err != nil || text != values[next] || version.Version != int64(next+1) {
			t.Fatalf("version %d is %q, not %q: %v", version.Version, text, values[next], err)
		}
		labels = append(labels, version.Labels...)
		next++
	}
	slices.Sort(labels)
	if next != len(values) || len(slices.Compact(slices.Clone(labels))) != len(labels) {
		t.Fatalf("%d versions of %d, labels %v", next, len(values), labels)
	}
}

// A parameter keeps a hundred versions; the oldest goes, unless it has a label. All of them go with the parameter.
func TestOldestVersionsGo(t *testing.T) {
	a := newAccount(t)
	a.must(t, "PutParameter", `{"Name":"p","Value":"x","Type":"String"}`)
	put := func() error {
		if _, err := a.ask(t, "PutParameter", `{"Name":"p","Value":"x","Overwrite":true}`); err != nil {
			return err
		}
		return nil
	}
	for range 101 {
		if err := put(); err != nil {
			t.Fatal(err)
		}
	}
	p := a.store.View().Parameters.Get(ours + "parameter/p")
	all := slices.Collect(versions(a.store.View().Tables, p))
	if len(all) != 100 || all[0].Version != 3 || p.Current.Version != 102 {
		t.Fatalf("%d versions from %d to %d", len(all), all[0].Version, p.Current.Version)
	}
	a.must(t, "LabelParameterVersion", `{"Name":"p","Labels":["kept"],"ParameterVersion":3}`)
	before := a.store.View().N
	err := put()
	if err == nil || !strings.HasPrefix(err.Error(), "ParameterMaxVersionLimitExceeded: You attempted to create a new version of p ") || a.store.View().N != before {
		t.Fatalf("%v", err)
	}
	a.must(t, "DeleteParameters", `{"Names":["p"]}`)
	if v := a.store.View(); v.Parameters.Len() != 0 || v.ParameterVersions.Len() != 0 {
		t.Errorf("%d parameters and %d versions are left", v.Parameters.Len(), v.ParameterVersions.Len())
	}
}

// What the store is given never holds a value or an activation's code that can be read, and a sealed value that is moved to another version does not open.
func TestSealedAtRest(t *testing.T) {
	cluster := mem.NewCluster()
	a := accountIn(t, statetest.Start(t, state.Config{Backend: cluster.Backend(), Address: "test"}, roles()...))
	hidden := []string{"correct horse battery", "staple and more staples", "one,two,three,four,five"}
	a.must(t, "PutParameter", `{"Name":"p","Value":"`+hidden[0]+`","Type":"SecureString"}`)
	a.must(t, "PutParameter", `{"Name":"p","Value":"`+hidden[1]+`","Overwrite":true}`)
	a.must(t, "PutParameter", `{"Name":"q","Value":"`+hidden[2]+`","Type":"StringList"}`)
	hidden = append(hidden, a.must(t, "CreateActivation", `{"IamRole":"Hybrid"}`)["ActivationCode"].(string))
	records := 0
	_, err := cluster.Backend().Load(t.Context(), func(w state.Write) error {
		records++
		for _, value := range hidden {
			for _, spelled := range []string{value, base64.StdEncoding.EncodeToString([]byte(value))[:len(value)]} {
				if bytes.Contains(w.Value, []byte(spelled)) {
					t.Errorf("%s holds %s", w.Key, value)
				}
			}
		}
		return nil
	})
	if err != nil || records < 6 {
		t.Fatalf("%d records, %v", records, err)
	}
	p := *a.store.View().Parameters.Get(ours + "parameter/p")
	old := a.store.View().ParameterVersions.Get(secret.VersionKey(p.Arn, 1))
	p.Current.Sealed = old.Value.Sealed
	a.put(t, &p)
	if out, failed := a.ask(t, "GetParameter", `{"Name":"p","WithDecryption":true}`); failed == nil || failed.Code != "InvalidKeyId" {
		t.Errorf("a value that was moved opens: %s, %v", out, failed)
	}
}

// FuzzNames puts and gets a parameter of any name: what is accepted is found by its name and by its ARN, and below each level of its path.
func FuzzNames(f *testing.F) {
	for _, seed := range []string{"a", "/a/b", "a/b", "/aws/x", "ssm", "/a//b", "/", "ä", "arn:aws:ssm:us-east-1:123456789012:parameter/a", "a:1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if validateName(name) != nil {
			return
		}
		ref, ok := secret.ParseParameter(testScope, name)
		p := &secret.Parameter{Name: name, Arn: secret.ParameterARN(testScope, name)}
		again, byARN := secret.ParseParameter(testScope, p.Arn)
		if !ok || !byARN || !ref.Is(p) || !again.Is(p) || ref.Selector != "" {
			t.Fatalf("%q: %+v %v, %+v %v", name, ref, ok, again, byARN)
		}
		if !below(name, "/", true) {
			t.Fatalf("%q is not below the root", name)
		}
		for i := 1; i < len(name); i++ {
			if path := name[:i]; name[i] == '/' && (validatePath(path) != nil || !below(name, path, true) || !below(name, path+"/", true)) {
				t.Fatalf("%q is not below %q", name, path)
			}
		}
	})
}

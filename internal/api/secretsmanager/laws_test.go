package secretsmanager

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"berth/internal/secret"
	"berth/internal/state"
	"berth/internal/state/mem"
	"berth/internal/state/statetest"
)

func token(n int) string { return fmt.Sprintf("%032d", n) }

// Whatever clients ask, in whatever order: a secret that has a version has exactly one that is AWSCURRENT, each label is on a version that is there, the
// current value is the one that was put last as such, and there are never more versions than allowed.
func TestLaws(t *testing.T) {
	a := newAccount(t)
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		name := fmt.Sprint("s", n)
		a.mustRapid(t, "CreateSecret", `{"Name":"`+name+`"}`)
		values := map[string]string{} // by version
		current := ""
		for range rapid.IntRange(1, 25).Draw(t, "requests") {
			id := token(rapid.IntRange(1, 5).Draw(t, "version"))
			label := rapid.SampledFrom([]string{"AWSCURRENT", "AWSPREVIOUS", "AWSPENDING", "mine"}).Draw(t, "label")
			switch rapid.IntRange(0, 2).Draw(t, "kind") {
			case 0:
				value := rapid.SampledFrom([]string{"one", "two"}).Draw(t, "value")
				_, err := a.ask(t, "PutSecretValue", `{"SecretId":"`+name+`","ClientRequestToken":"`+id+`","SecretString":"`+value+`","VersionStages":["`+label+`"]}`)
				if old, there := values[id]; there != (err != nil && old != value || err == nil && there) {
					t.Fatalf("putting %s over %q: %v", value, old, err)
				} else if err == nil && !there {
					values[id] = value
					if label == "AWSCURRENT" || current == "" {
						current = id
					}
				}
			case 1:
				from := token(rapid.IntRange(0, 5).Draw(t, "from"))
				_, err := a.ask(t, "UpdateSecretVersionStage",
					`{"SecretId":"`+name+`","VersionStage":"`+label+`","MoveToVersionId":"`+id+`","RemoveFromVersionId":"`+from+`"}`)
				if err == nil && label == "AWSCURRENT" {
					current = id
				}
			case 2:
				a.ask(t, "UpdateSecretVersionStage", `{"SecretId":"`+name+`","VersionStage":"`+label+`","RemoveFromVersionId":"`+id+`"}`)
			}
			a.lawful(t, name, values, current)
		}
	})
}

func (a *account) lawful(t *rapid.T, name string, values map[string]string, current string) {
	v := a.store.View()
	s, err := find(v.Tables, testScope, name)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Stages.Holder(secret.Current); got != current {
		t.Fatalf("%s is AWSCURRENT, not %s", got, current)
	}
	seen := map[string]bool{}
	for _, one := range s.Stages {
		if seen[one.Label] || values[one.VersionID] == "" {
			t.Fatalf("labels %v, versions %v", s.Stages, values)
		}
		seen[one.Label] = true
	}
	if got := len(slices.Collect(versions(v.Tables, s))); got != len(values) {
		t.Fatalf("%d versions, not %d", got, len(values))
	}
	if current == "" {
		return
	}
	if got := a.mustRapid(t, "GetSecretValue", `{"SecretId":"`+name+`"}`); !strings.Contains(got, `"SecretString":"`+values[current]+`"`) {
		t.Fatalf("%s, not %s", got, values[current])
	}
}

func (a *account) mustRapid(t *rapid.T, operation, body string) string {
	out, err := a.ask(t, operation, body)
	if err != nil {
		t.Fatalf("%s %s: %v", operation, body, err)
	}
	return string(out)
}

// A secret keeps a hundred versions: the oldest without a label go.
func TestSurplusVersionsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t)
		a.must(t, "CreateSecret", `{"Name":"s"}`)
		for n := range 105 {
			time.Sleep(time.Second)
			stages := ""
			if n == 0 {
				stages = `,"VersionStages":["kept"]`
			}
			a.must(t, "PutSecretValue", `{"SecretId":"s","SecretString":"x","ClientRequestToken":"`+token(n)+`"`+stages+`}`)
		}
		all := a.must(t, "ListSecretVersionIds", `{"SecretId":"s","IncludeDeprecated":true}`)["Versions"].([]any)
		if len(all) != 100 {
			t.Errorf("%d versions", len(all))
		}
		for n, there := range map[int]bool{0: true, 1: false, 5: false, 6: true, 104: true} {
			if _, err := a.ask(t, "GetSecretValue", `{"SecretId":"s","VersionId":"`+token(n)+`"}`); (err == nil) != there {
				t.Errorf("version %d: %v", n, err)
			}
		}
	})
}

// The sweep removes what is due with all its versions, what a forced deletion has left, and nothing else; a secret that was restored between its look and
// its deed keeps its versions.
func TestSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t)
		for _, name := range []string{"due", "kept", "forced", "restored"} {
			a.must(t, "CreateSecret", `{"Name":"`+name+`"}`)
			for n := range 95 {
				a.must(t, "PutSecretValue", `{"SecretId":"`+name+`","SecretString":"x","ClientRequestToken":"`+token(n)+`"}`)
			}
		}
		a.must(t, "DeleteSecret", `{"SecretId":"forced","ForceDeleteWithoutRecovery":true}`)
		if n := a.store.View().SecretVersions.Len(); n != 4*95-89 {
			t.Errorf("%d versions after the forced deletion", n)
		}
		a.must(t, "DeleteSecret", `{"SecretId":"due","RecoveryWindowInDays":7}`)
		a.must(t, "DeleteSecret", `{"SecretId":"restored","RecoveryWindowInDays":7}`)
		time.Sleep(7*24*time.Hour - time.Second)
		a.sweep(t, 3, 3*95)
		time.Sleep(time.Second)
		due := overdue(a.store.View().Tables, now())
		a.must(t, "RestoreSecret", `{"SecretId":"restored"}`)
		if err := a.store.Update(t.Context(), func(tx *state.Tx) error {
			for _, r := range due {
				if r.Kind() == secret.KindSecretVersion {
					remove(tx, r)
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		a.sweep(t, 2, 2*95)
		a.sweep(t, 2, 2*95)
	})
}

// sweep sweeps and counts what is left.
func (a *account) sweep(t *testing.T, secrets, versions int) {
	t.Helper()
	if err := a.api.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if v := a.store.View(); v.Secrets.Len() != secrets || v.SecretVersions.Len() != versions {
		t.Errorf("%d secrets with %d versions are left, not %d with %d", v.Secrets.Len(), v.SecretVersions.Len(), secrets, versions)
	}
}

// What the store is given never holds a value that can be read, in any spelling, and a sealed value that is moved to another version does not open.
func TestSealedAtRest(t *testing.T) {
	cluster := mem.NewCluster()
	a := accountIn(t, statetest.Start(t, state.Config{Backend: cluster.Backend(), Address: "test"}))
	const text, more, binary = "correct horse battery", "staple \"with\" quotes", "bytes that nobody reads"
	a.must(t, "CreateSecret", `{"Name":"s","SecretString":"`+text+`","ClientRequestToken":"`+token(1)+`"}`)
	a.must(t, "UpdateSecret", `{"SecretId":"s","SecretString":`+quote(more)+`,"ClientRequestToken":"`+token(2)+`"}`)
	a.must(t, "PutSecretValue", `{"SecretId":"s","SecretBinary":"`+base64.StdEncoding.EncodeToString([]byte(binary))+`","ClientRequestToken":"`+token(3)+`"}`)
	records := 0
	_, err := cluster.Backend().Load(t.Context(), func(w state.Write) error {
		records++
		for _, value := range []string{text, more[:6], "quotes", binary} {
			for _, spelled := range []string{value, base64.StdEncoding.EncodeToString([]byte(value))[:len(value)], base64.RawURLEncoding.EncodeToString([]byte(value))} {
				if bytes.Contains(w.Value, []byte(spelled)) || strings.Contains(w.Key, spelled) {
					t.Errorf("%s holds %s", w.Key, value)
				}
			}
		}
		return nil
	})
	if err != nil || records < 4 {
		t.Fatalf("%d records, %v", records, err)
	}
	first := *a.store.View().SecretVersions.Get(a.arn("s") + "/" + token(1))
	moved := first
	moved.VersionID = token(3)
	if err := a.store.Update(t.Context(), func(tx *state.Tx) error { tx.Put(&moved); return nil }); err != nil {
		t.Fatal(err)
	}
	if out, failed := a.ask(t, "GetSecretValue", `{"SecretId":"s"}`); failed == nil || failed.Code != "DecryptionFailure" {
		t.Errorf("a value that was moved opens: %s, %v", out, failed)
	}
}

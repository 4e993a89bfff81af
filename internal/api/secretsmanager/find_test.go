package secretsmanager

import "testing"

// Names that begin alike, and names that look like another one with its suffix, are told apart by name, by ARN and by ARN without the suffix.
func TestFind(t *testing.T) {
	a := newAccount(t)
	names := []string{"db", "db-prod", "db-abcdef", "db-abcdef-ghijkl", "d"}
	for i := len(names) - 1; i >= 0; i-- {
		a.must(t, "CreateSecret", `{"Name":"`+names[i]+`"}`)
	}
	const prefix = "arn:aws:secretsmanager:us-east-1:123456789012:secret:"
	for _, name := range names {
		for _, id := range []string{name, a.arn(name), prefix + name} {
			if found, err := find(a.store.View().Tables, testScope, id); err != nil || found.Name != name {
				t.Errorf("%s: %+v, %v", id, found, err)
			}
		}
	}
	for _, id := range []string{"db-", "prod", "db-abcde", prefix + "db-prod-", a.arn("db")[:len(a.arn("db"))-1], a.arn("db") + "x"} {
		if found, err := find(a.store.View().Tables, testScope, id); err == nil {
			t.Errorf("%s is %s", id, found.Name)
		}
	}
}

package access

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"berth/internal/acsproto"
	"berth/internal/ecs"
	"berth/internal/iam"
	"berth/internal/seal"
)

// A password is its key's: it ends after twelve hours, or with the key, the session, the role or the task.
func TestPasswords(t *testing.T) {
	k := keys(t)
	ada := &iam.User{Entity: iam.Entity{Account: account, Name: "ada", ID: "AIDA1", Path: "/"}}
	key := &iam.AccessKey{AccessKeyID: "AKIAADA", SealedSecret: k.Seal.Seal("s3cr3t", "AKIAADA"), Account: account, UserName: "ada"}
	inactive := *key
	inactive.Inactive = true
	task, d := taskOf("")
	d.Definition.ExecutionRoleArn = aws.String(taskRole)
	app := role("app", trustECS, readers)
	anew := *app
	anew.ID = "AROANEW"
	for name, c := range map[string]struct {
		ofUser bool
		change []ecs.Record
		good   bool
	}{
		"a user's":                     {true, nil, true},
		"whose key is deleted":         {true, []ecs.Record{nil, key}, false},
		"whose key is inactive":        {true, []ecs.Record{&inactive}, false},
		"whose user is gone":           {true, []ecs.Record{nil, ada}, false},
		"a task's":                     {false, nil, true},
		"whose role changed":           {false, []ecs.Record{role("app", trustECS)}, true},
		"whose role was made anew":     {false, []ecs.Record{&anew}, false},
		"whose task is forgotten":      {false, []ecs.Record{nil, task}, false},
		"which another key's end left": {false, []ecs.Record{nil, key}, true},
	} {
		put(t, k, ada, key, app, task)
		id, token, want := "AKIAADA", "", "arn:aws:iam::123456789012:user/ada"
		if !c.ofUser {
			v, err := k.Vend(k.State.View().Tables, task, d, acsproto.TaskExecution, always)
			if err != nil {
				t.Fatal(err)
			}
			id, token, want = v.AccessKeyID, v.SessionToken, "arn:aws:sts::123456789012:assumed-role/app/1f"
		}
		text, _, err := k.Password(id, token)
		if err != nil {
			t.Fatal(err)
		}
		put(t, k, c.change...)
		by, h, err := k.PasswordHolder(text)
		if c.good && (by != id || err != nil || h.Principal.ARN != want) || !c.good && !errors.Is(err, ErrPassword) {
			t.Errorf("%s: %v, %v", name, h.Principal.ARN, err)
		}
	}
}

func TestPasswordsExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keys(t)
		task, d := taskOf("")
		d.Definition.ExecutionRoleArn = aws.String(taskRole)
		key := &ecs.Credential{AccessKeyID: "AKIAI", SealedSecret: k.Seal.Seal("s", "AKIAI"), Account: account, Principal: Administrator}
		put(t, k, key, role("app", trustECS), task)
		v, err := k.Vend(k.State.View().Tables, task, d, acsproto.TaskExecution, always)
		if err != nil {
			t.Fatal(err)
		}
		long, until, err := k.Password("AKIAI", "")
		if err != nil || time.Until(until) != PasswordLife {
			t.Fatal(until, err)
		}
		short, ends, err := k.Password(v.AccessKeyID, v.SessionToken)
		if err != nil || ends.Format(time.RFC3339) != v.Expiration || !ends.Before(until) {
			t.Fatal(ends, v.Expiration, err)
		}
		for _, step := range []struct {
			at          time.Time
			long, short error
		}{
			{ends.Add(-time.Second), nil, nil},
			{ends, nil, ErrPasswordExpired},
			{until.Add(-time.Second), nil, ErrPasswordExpired},
			{until, ErrPasswordExpired, ErrPasswordExpired},
		} {
			time.Sleep(time.Until(step.at))
			_, _, errLong := k.PasswordHolder(long)
			_, _, errShort := k.PasswordHolder(short)
			if !errors.Is(errLong, step.long) || !errors.Is(errShort, step.short) {
				t.Errorf("%v: %v, %v", step.at, errLong, errShort)
			}
		}
	})
}

// FuzzPassword: nothing but what was made here is a password.
func FuzzPassword(f *testing.F) {
	k := benchKeys(f)
	good, _, err := k.Password("AKIAI", "token")
	if err != nil {
		f.Fatal(err)
	}
	other := k.Seal.Seal(`{"k":"AKIAI"}`, "AKIAI")
	for _, text := range []string{"", good, strings.ToLower(good), good[:len(good)-4], base64.StdEncoding.EncodeToString(other), base64.StdEncoding.EncodeToString(seal.NewKey())} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, h, err := k.PasswordHolder(text); !errors.Is(err, ErrPassword) {
			t.Errorf("%+v, %v", h, err)
		}
	})
}

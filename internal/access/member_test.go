package access

import (
	"errors"
	"strings"
	"testing"
)

func TestMemberToken(t *testing.T) {
	k := keys(t)
	print := strings.Repeat("ab", 32)
	token, _, err := k.NewMemberToken(t.Context(), print)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := MemberTokenAuthority(token); err != nil || got != print {
		t.Errorf("the token names %q, %v", got, err)
	}
	if _, _, err := k.Join(t.Context(), token); !errors.Is(err, ErrToken) {
		t.Errorf("a machine joins with a replica's token: %v", err)
	}
	giveBack, err := k.SpendMemberToken(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.SpendMemberToken(t.Context(), token); !errors.Is(err, ErrMemberToken) {
		t.Errorf("spent twice: %v", err)
	}
	if err := giveBack(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := k.SpendMemberToken(t.Context(), token); err != nil {
		t.Errorf("given back: %v", err)
	}
	machine, _, err := k.NewJoinToken(t.Context(), demo, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{machine, "", token[:len(token)-1]} {
		if _, err := k.SpendMemberToken(t.Context(), bad); !errors.Is(err, ErrMemberToken) {
			t.Errorf("%q: %v", bad, err)
		}
		if _, err := MemberTokenAuthority(bad); err == nil {
			t.Errorf("%q names an authority", bad)
		}
	}
}

package oidc

import (
	"net/http/httptest"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// A token is read and verified, with the provider's keys at hand: what AssumeRoleWithWebIdentity costs besides a session.
func BenchmarkToken(b *testing.B) {
	for _, alg := range []jose.SignatureAlgorithm{jose.RS256, jose.ES256} {
		b.Run(string(alg), func(b *testing.B) {
			i := newIssuer(b, httptest.NewServer)
			text := token(b, i.key(b, alg, "k"), alg, "k", good(i.URL, nil))
			v, p := &Verifier{}, Provider{URL: i.URL, ClientIDs: []string{"sts.amazonaws.com"}}
			for b.Loop() {
				t, err := Parse(text)
				if err == nil {
					err = v.Verify(b.Context(), t, p)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package frontdoor

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// verdict asks a door's own verification about r, whose body is body.
func verdict(d *Door, r *http.Request, body string) *refusal {
	query, err := readQuery(r.URL.RawQuery)
	if err != nil {
		return refuse(faultMismatch, "%v", err)
	}
	c, f := readClaim(r, query)
	x := &exchange{door: d, r: r, query: query, body: []byte(body), claim: c}
	if f == nil {
		f = x.checkClaim("ecs")
	}
	if f != nil {
		return f
	}
	key, ok := d.config.Keys(r.Context(), c.accessKeyID, c.token)
	if !ok {
		return refuseKey()
	}
	if f = c.checkToken(key); f == nil {
		f = d.checkSignature(c, r, query, x.body, key)
	}
	return f
}

// signedAny draws a request such as no client would send, and signs it with the SDK in one of the two forms.
func signedAny(t *rapid.T) (*http.Request, string) {
	word := rapid.StringMatching(`[a-zA-Z0-9 ~.,:;/+=%é&()*'!-]{0,12}`)
	u := url.URL{Scheme: "http", Host: rapid.SampledFrom([]string{"cp:3270", "localhost", "[::1]:3270"}).Draw(t, "host")}
	u.Path = "/" + rapid.StringMatching(`([a-z~ é()+=]{1,4}/?){0,4}`).Draw(t, "path")
	query := url.Values{}
	for range rapid.IntRange(0, 4).Draw(t, "parameters") {
		query.Add(rapid.SampledFrom([]string{"a", "b", "a-b", "é", "A"}).Draw(t, "name"), word.Draw(t, "value"))
	}
	u.RawQuery = query.Encode()
	body := word.Draw(t, "body")
	r := httptest.NewRequest(rapid.SampledFrom([]string{"GET", "POST", "PUT"}).Draw(t, "method"), u.String(), strings.NewReader(body))
	r.RequestURI = ""
	for _, name := range []string{"X-Amz-Target", "Content-Type", "Amz-Sdk-Request", "X-Two"} {
		for range rapid.IntRange(0, 2).Draw(t, name) {
			r.Header.Add(name, " "+word.Draw(t, "header")+"  ")
		}
	}
	keys := rapid.SampledFrom([]aws.Credentials{adminKeys, sessionKeys}).Draw(t, "keys")
	sum := sha256.Sum256([]byte(body))
	if rapid.Bool().Draw(t, "presigned") {
		return presign(t, r, hex.EncodeToString(sum[:]), keys), body
	}
	if rapid.Bool().Draw(t, "declares its payload") {
		r.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
	}
	if err := v4.NewSigner().SignHTTP(context.Background(), keys, r, hex.EncodeToString(sum[:]), "ecs", "us-east-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	return r, body
}

func presign(t interface{ Fatal(...any) }, r *http.Request, payload string, keys aws.Credentials) *http.Request {
	whole := func(o *v4.SignerOptions) { o.DisableHeaderHoisting = true }
	u, _, err := v4.NewSigner().PresignHTTP(context.Background(), keys, r, payload, "ecs", "us-east-1", time.Now(), whole)
	if err != nil {
		t.Fatal(err)
	}
	out := r.Clone(context.Background())
	if out.URL, err = url.Parse(u); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTheSDKsSignaturesAreAccepted(t *testing.T) {
	d := testDoor(nil)
	rapid.Check(t, func(t *rapid.T) {
		r, body := signedAny(t)
		if f := verdict(d, r, body); f != nil {
			t.Fatalf("refused: %s", f.text)
		}
	})
}

// One byte of what is signed, changed in any way that changes its meaning, spoils the signature.
func TestAChangedByteIsRefused(t *testing.T) {
	d := testDoor(nil)
	rapid.Check(t, func(t *rapid.T) {
		r, body := signedAny(t)
		before := meaning(r)
		type part struct {
			name string
			text *string
			done func()
		}
		none := func() {}
		where := r.URL.EscapedPath()
		parts := []part{
			{"method", &r.Method, none}, {"host", &r.Host, none}, {"query", &r.URL.RawQuery, none}, {"body", &body, none},
			{"path", &where, func() { r.URL.Path, r.URL.RawPath = where, "" }},
		}
		c, _ := readClaim(r, mustQuery(t, r))
		for _, name := range append(c.headers, "authorization") {
			if values := r.Header[http.CanonicalHeaderKey(name)]; len(values) > 0 {
				parts = append(parts, part{name, &values[0], none})
			}
		}
		p := parts[rapid.IntRange(0, len(parts)-1).Draw(t, "part")]
		if *p.text == "" {
			t.Skip("nothing to change")
		}
		i := rapid.IntRange(0, len(*p.text)-1).Draw(t, "byte")
		flip := byte(rapid.IntRange(1, 255).Draw(t, "flip"))
		signedBody := body
		*p.text = (*p.text)[:i] + string((*p.text)[i]^flip) + (*p.text)[i+1:]
		if p.text == &where && where[0] != '/' {
			t.Skip("no path of a request")
		}
		p.done()
		if body == signedBody && meaning(r) == before {
			t.Skip("means the same")
		}
		if f := verdict(d, r, body); f == nil {
			t.Fatalf("accepted with %s %q", p.name, *p.text)
		}
	})
}

func mustQuery(t *rapid.T, r *http.Request) []pair {
	query, err := readQuery(r.URL.RawQuery)
	if err != nil {
		t.Fatal(err)
	}
	return query
}

// meaning is all of a request that matters, without what may be written in several ways: spaces around header values and between the parts
// of an Authorization header, escapes in the query, the order of the query, empty segments of the path.
func meaning(r *http.Request) string {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return "bad query " + r.URL.RawQuery
	}
	var b strings.Builder
	p := strings.TrimSuffix(path.Clean(r.URL.EscapedPath()), "/")
	if s := r.URL.EscapedPath(); strings.HasSuffix(s, "/") || strings.HasSuffix(s, "/.") || strings.HasSuffix(s, "/..") {
		p += "/"
	}
	b.WriteString(r.Method + " " + r.Host + " " + p + "?" + query.Encode())
	for _, name := range []string{"X-Amz-Target", "Content-Type", "Amz-Sdk-Request", "X-Two", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-Sha256"} {
		for _, v := range r.Header[name] {
			b.WriteString("\n" + name + ":" + strings.Join(strings.FieldsFunc(strings.TrimSpace(v), func(r rune) bool { return r == ' ' }), " "))
		}
	}
	parts := strings.FieldsFunc(r.Header.Get("Authorization"), func(r rune) bool { return r == ',' || r == ' ' })
	return b.String() + "\n" + strings.Join(parts, " ")
}

func TestTheAgentsHandshakeIsAccepted(t *testing.T) {
	raw := "agentHash=a8b3e7d3&agentVersion=1.105.1&clusterArn=demo&containerInstanceArn=arn%3Aaws%3Aecs&dockerVersion=DockerVersion%3A+20.10.24&seqNum=1"
	r := httptest.NewRequest("GET", "http://cp:9500/acs/ws?"+raw, nil)
	r.ContentLength = 0
	signed(t, r, "", "ecs", adminKeys, time.Now())
	r.URL.RawQuery = raw // as the agent sends it, with the + that the signer wrote as %20
	r.Header.Set("Upgrade", "websocket")
	r.Header.Set("Connection", "Upgrade")
	if !strings.Contains(r.Header.Get("Authorization"), "SignedHeaders=host;x-amz-date,") {
		t.Fatalf("signs something else: %s", r.Header.Get("Authorization"))
	}
	if f := verdict(testDoor(nil), r, ""); f != nil {
		t.Errorf("refused: %s", f.text)
	}
}

func TestClockSkew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // begins at 2000-01-01T00:00:00Z
		for _, c := range []struct {
			off  time.Duration
			want string
		}{
			{0, ""},
			{5 * time.Minute, ""},
			{-5 * time.Minute, ""},
			{5*time.Minute + time.Second, "Signature not yet current: 20000101T000501Z is still later than 20000101T000500Z (20000101T000000Z + 5 min.)"},
			{-5*time.Minute - time.Second, "Signature expired: 19991231T235459Z is now earlier than 19991231T235500Z (20000101T000000Z - 5 min.)"},
		} {
			r := signed(t, jsonRequest("ListClusters", "{}"), "{}", "ecs", adminKeys, time.Now().Add(c.off))
			got := ""
			if f := verdict(testDoor(nil), r, "{}"); f != nil {
				got = f.text
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%v: %s", c.off, diff)
			}
		}
	})
}

func TestPresignedURLExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := testDoor(nil)
		empty := sha256.Sum256(nil)
		url := func(expires string) *http.Request {
			r := httptest.NewRequest("GET", "http://cp/?Action=X"+expires, nil)
			return presign(t, r, hex.EncodeToString(empty[:]), adminKeys)
		}
		short, long, plain := url("&X-Amz-Expires=60"), url("&X-Amz-Expires=3600"), url("")
		for _, c := range []struct {
			after time.Duration
			r     *http.Request
			want  string
		}{
			{60 * time.Second, short, ""},
			{61 * time.Second, short, "Signature expired: 20000101T000000Z is now earlier than 20000101T000001Z (20000101T000101Z - 1 min.)"},
			{300 * time.Second, plain, ""},
			{301 * time.Second, plain, "Signature expired: 20000101T000000Z is now earlier than 20000101T000001Z (20000101T000501Z - 5 min.)"},
			{3600 * time.Second, long, ""},
			{3601 * time.Second, long, "Signature expired: 20000101T000000Z is now earlier than 20000101T000001Z (20000101T010001Z - 60 min.)"},
		} {
			time.Sleep(time.Until(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(c.after)))
			got := ""
			if f := verdict(d, c.r, ""); f != nil {
				got = f.text
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("after %v: %s", c.after, diff)
			}
		}
	})
}

// signedBy signs r with the headers of the list, in its order, whatever a good client would sign.
func signedBy(t *testing.T, r *http.Request, body, headers string) *http.Request {
	t.Helper()
	at := time.Now().UTC()
	c := &claim{date: at.Format("20060102"), region: "us-east-1", service: "ecs", stamp: at.Format(stampLayout), headers: strings.Split(headers, ";")}
	if !strings.Contains(headers, ";date") {
		r.Header.Set("X-Amz-Date", c.stamp)
	}
	canonical, ok := appendCanonical(nil, r, c, nil, hexOf(body))
	if !ok {
		t.Fatal("no canonical request")
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDADMIN/"+c.date+"/us-east-1/ecs/aws4_request, SignedHeaders="+
		headers+", Signature="+hex.EncodeToString(mac(signer{"s3cr3t", c.date, c.region, c.service}.key(), stringToSign(c, canonical))))
	return r
}

func TestSignedHeaders(t *testing.T) {
	dated := jsonRequest("ListClusters", "{}")
	dated.Header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	undated := jsonRequest("ListClusters", "{}")
	undated.Header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	signedBy(t, undated, "{}", "content-type;host;x-amz-date;x-amz-target").Header.Del("X-Amz-Date")
	lying := jsonRequest("ListClusters", "{}")
	lying.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
	for _, c := range []struct {
		name string
		r    *http.Request
		want string
	}{
		{"a payload that is not what it says", signedBy(t, lying, "{}", "host;x-amz-content-sha256;x-amz-date;x-amz-target"), refuseSignature().text},
		{"the least", signedBy(t, jsonRequest("ListClusters", "{}"), "{}", "host;x-amz-date;x-amz-target"), ""},
		{"Date in place of X-Amz-Date", signedBy(t, dated, "{}", "content-type;date;host;x-amz-target"), ""},
		{"Date unsigned", undated, "'Date' must be a 'SignedHeader' in the AWS Authorization."},
		{"host unsigned", signedBy(t, jsonRequest("ListClusters", "{}"), "{}", "x-amz-date;x-amz-target"),
			"'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
		{"date unsigned", signedBy(t, jsonRequest("ListClusters", "{}"), "{}", "host;x-amz-target"), "'X-Amz-Date' must be a 'SignedHeader' in the AWS Authorization."},
		{"not in order", signedBy(t, jsonRequest("ListClusters", "{}"), "{}", "x-amz-date;host;x-amz-target"), refuseSignature().text},
		{"a header twice", signedBy(t, jsonRequest("ListClusters", "{}"), "{}", "host;host;x-amz-date;x-amz-target"), refuseSignature().text},
	} {
		got := ""
		if f := verdict(testDoor(nil), c.r, "{}"); f != nil {
			got = f.text
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func hexOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

// The example of AWS's documentation of Signature Version 4, so that signer and verifier are not wrong together.
func TestPublishedSignature(t *testing.T) {
	r := httptest.NewRequest("GET", "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08", nil)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	r.Header.Set("X-Amz-Date", "20150830T123600Z")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "+
		"SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7")
	query, err := readQuery(r.URL.RawQuery)
	if err != nil {
		t.Fatal(err)
	}
	c, f := readClaim(r, query)
	if f == nil {
		f = new(Door).checkSignature(c, r, query, nil, Key{Secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"})
	}
	if f != nil {
		t.Error(f.text)
	}
}

// signedPayload signs r with what it claims its payload's hash to be.
func signedPayload(t *testing.T, r *http.Request, payload string) *http.Request {
	t.Helper()
	if err := v4.NewSigner().SignHTTP(t.Context(), adminKeys, r, payload, "ecs", "us-east-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	return r
}

func presignedIdentity(t *testing.T) *http.Request {
	r := httptest.NewRequest("GET", "http://cp/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Expires=60", nil)
	u, _, err := v4.NewSigner().PresignHTTP(t.Context(), adminKeys, r, hexOf(""), "sts", "us-east-1", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return httptest.NewRequest("GET", u, nil)
}

// Signing keys are of everything that they are made from, are made once, and are not kept without a bound.
func TestSigningKeys(t *testing.T) {
	var s signingKeys
	one := s.key("s", &claim{date: "20261130", region: "r", service: "ecs"})
	for _, c := range []struct {
		secret string
		claim
	}{{"t", claim{date: "20261130", region: "r", service: "ecs"}}, {"s", claim{date: "20261201", region: "r", service: "ecs"}},
		{"s", claim{date: "20261130", region: "q", service: "ecs"}}, {"s", claim{date: "20261130", region: "r", service: "iam"}}} {
		if bytes.Equal(one, s.key(c.secret, &c.claim)) {
			t.Errorf("%s %s/%s/%s has the key of another", c.secret, c.date, c.region, c.service)
		}
	}
	if again := s.key("s", &claim{date: "20261130", region: "r", service: "ecs"}); &again[0] != &one[0] {
		t.Error("it is made again")
	}
	for n := range mostSigning + 10 {
		s.key("s", &claim{region: strconv.Itoa(n)})
	}
	if len(s.made) > mostSigning {
		t.Errorf("%d are kept", len(s.made))
	}
}

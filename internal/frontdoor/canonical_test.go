package frontdoor

import (
	"bytes"
	"net/http/httptest"
	"testing"
)

func TestCanonicalPath(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", "/"},
		{"/", "/"},
		{"//", "/"},
		{"/acs/ws", "/acs/ws"},
		{"/a//b", "/a/b"},
		{"/a/./b/../c", "/a/c"},
		{"/../..", "/"},
		{"/a/b/..", "/a/"},
		{"/a/.", "/a/"},
		{"/a/", "/a/"},
		{"/a%20b", "/a%2520b"},
		{"/a%2fb", "/a%252fb"},
		{"/(x)~y", "/%28x%29~y"},
		{"/é", "/%C3%A9"},
	} {
		if got := string(appendCanonicalPath(nil, c.in)); got != c.want {
			t.Errorf("%q: got %q, want %q", c.in, got, c.want)
		}
	}
}

func TestCanonicalQuery(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"b=2&a=1", "a=1&b=2"},
		{"a=2&a=1&a", "a=&a=1&a=2"},
		{"a=x+y", "a=x%20y"},
		{"a=x%20y%2By", "a=x%20y%2By"},
		{"a=%7e%2d", "a=~-"},
		{"a=b=c", "a=b%3Dc"},
		{"a&&b=", "a=&b="},
		{"%26=%3d", "%26=%3D"},
		{"a-b=1&a=2", "a=2&a-b=1"},
		{"A=1&a=1", "A=1&a=1"},
		{"é=1&z=1", "%C3%A9=1&z=1"},
		{"a=1&X-Amz-Signature=abc", "a=1"},
	} {
		query, err := readQuery(c.in)
		if err != nil {
			t.Errorf("%q: %v", c.in, err)
		}
		if got := string(appendCanonicalQuery(nil, query)); got != c.want {
			t.Errorf("%q: got %q, want %q", c.in, got, c.want)
		}
	}
	for _, bad := range []string{"a=%", "a=%zz", "%f=1"} {
		if _, err := readQuery(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestCanonicalHeader(t *testing.T) {
	r := httptest.NewRequest("POST", "http://cp:9500/", bytes.NewReader([]byte("abc")))
	r.Header["X-Two"] = []string{"  a   b ", "c"}
	r.Header["X-Empty"] = []string{""}
	for _, c := range []struct {
		name, want string
		ok         bool
	}{
		{"host", "cp:9500", true},
		{"content-length", "3", true},
		{"x-two", "a b,c", true},
		{"x-empty", "", true},
		{"x-none", "", false},
		{"transfer-encoding", "", false},
	} {
		got, ok := appendCanonicalHeader(nil, r, c.name)
		if string(got) != c.want || ok != c.ok {
			t.Errorf("%s: got %q, %v", c.name, got, ok)
		}
	}
}

// What is canonical stays as it is.
func FuzzCanonicalQuery(f *testing.F) {
	f.Add("a=1&b=x+y&a=%7e")
	f.Add("clusterArn=demo&dockerVersion=DockerVersion%3A+20.10.24")
	f.Add("&&=&=a")
	f.Fuzz(func(t *testing.T, raw string) {
		query, err := readQuery(raw)
		if err != nil {
			return
		}
		once := appendCanonicalQuery(nil, query)
		query, err = readQuery(string(once))
		if err != nil {
			t.Fatal(err)
		}
		if twice := appendCanonicalQuery(nil, query); !bytes.Equal(once, twice) {
			t.Fatalf("%q became %q and then %q", raw, once, twice)
		}
	})
}

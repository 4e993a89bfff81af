package imds

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/agent"
)

// machine is a Source: containers of two instances on the bridge, one in a VPC, and some that get nothing.
type machine struct {
	role agent.InstanceRole
	err  error // of the role
}

const secret = "most-secret"

func newMachine() *machine {
	at := time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
	return &machine{role: agent.InstanceRole{
		ProfileARN: "arn:aws:iam::123456789012:instance-profile/ecsInstanceRole", ProfileID: "AIPA1", Role: "ecsInstanceRole", Code: "Success",
		Key: agent.Key{AccessKeyID: "ASIA1", SecretAccessKey: secret, SessionToken: "t0ken+/="}, Issued: at, Expires: at.Add(6 * time.Hour),
	}}
}

func (m *machine) HostAt(_ context.Context, vpc string, a netip.Addr) (agent.Host, error) {
	host := agent.Host{Region: "us-east-1", Account: "123456789012", EC2Identity: agent.EC2Identity{
		Zone: "us-east-1a", Architecture: "x86_64", RegisteredAt: time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC),
	}}
	switch vpc + " " + a.String() {
	case " 172.17.0.2", "vpc-1 10.0.0.5":
		host.Instance, host.InstanceID = "one", "i-11111111111111111"
	case " 172.17.0.3":
		host.Instance, host.InstanceID = "two", "i-22222222222222222"
	case " 172.17.0.9", "vpc-1 10.0.0.9":
		return agent.Host{}, agent.ErrHostBlocked
	default:
		return agent.Host{}, agent.ErrNoHost
	}
	return host, nil
}

func (m *machine) InstanceRole(context.Context, string) (agent.InstanceRole, error) {
	return m.role, m.err
}

func newService(m *machine) *Service {
	s := New(Config{Source: m, Machine: func() (netip.Addr, net.HardwareAddr) {
		return netip.MustParseAddr("192.0.2.10"), net.HardwareAddr{2, 0, 0, 0, 0, 1}
	}})
	s.hostname = "rack1"
	return s
}

// from is who asks: an address on the bridge, or VPC/address.
func (s *Service) ask(method, path, from string, headers ...string) (w *httptest.ResponseRecorder, closed bool) {
	vpc, address, in := strings.Cut(from, "/")
	if !in {
		vpc, address = "", from
	}
	r := httptest.NewRequest(method, "http://169.254.169.254"+path, nil)
	r.RemoteAddr = address + ":1234"
	for n := 0; n < len(headers); n += 2 {
		r.Header.Add(headers[n], headers[n+1])
	}
	w = httptest.NewRecorder()
	defer func() {
		if v := recover(); v == http.ErrAbortHandler { //nolint:errorlint // it is that very value
			closed = true
		} else if v != nil {
			panic(v)
		}
	}()
	s.Handler(vpc).ServeHTTP(w, r)
	return w, false
}

// token gets one for 60 s.
func (s *Service) token(t *testing.T, from string) string {
	t.Helper()
	w, _ := s.ask("PUT", tokenPath, from, lifetimeHeader, "60")
	if w.Code != 200 || len(w.Body.String()) != 56 || w.Header().Get(lifetimeHeader) != "60" {
		t.Fatalf("%d %q %v", w.Code, w.Body, w.Header())
	}
	return w.Body.String()
}

const bridge = "172.17.0.2"

func TestTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(newMachine())
		for _, c := range []struct {
			method, path string
			headers      []string
			status       int
		}{
			{"PUT", tokenPath, nil, 400},
			{"PUT", tokenPath, []string{lifetimeHeader, ""}, 400},
			{"PUT", tokenPath, []string{lifetimeHeader, "0"}, 400},
			{"PUT", tokenPath, []string{lifetimeHeader, "-1"}, 400},
			{"PUT", tokenPath, []string{lifetimeHeader, "21601"}, 400},
			{"PUT", tokenPath, []string{lifetimeHeader, "60s"}, 400},
			{"PUT", tokenPath, []string{lifetimeHeader, "1"}, 200},
			{"PUT", tokenPath, []string{lifetimeHeader, "21600"}, 200},
			{"PUT", tokenPath, []string{lifetimeHeader, "60", "X-Forwarded-For", "1.2.3.4"}, 403},
			{"PUT", tokenPath, []string{lifetimeHeader, "60", "X-Forwarded-For", ""}, 403},
			{"GET", tokenPath, nil, 405},
			{"POST", tokenPath, []string{lifetimeHeader, "60"}, 405},
			{"PUT", "/latest/meta-data/", []string{lifetimeHeader, "60"}, 405},
			{"DELETE", "/latest/meta-data/", nil, 405},
			{"GET", "/latest/meta-data/", nil, 401},
			{"GET", "/", nil, 401},
			{"GET", "/latest/meta-data/", []string{tokenHeader, ""}, 401},
			{"GET", "/latest/meta-data/", []string{tokenHeader, "AQAAAA=="}, 401},
		} {
			w, closed := s.ask(c.method, c.path, bridge, c.headers...)
			if w.Code != c.status || closed {
				t.Errorf("%s %s %q: %d, want %d", c.method, c.path, c.headers, w.Code, c.status)
			}
			if title := http.StatusText(c.status); c.status != 200 && (!strings.Contains(w.Body.String(), title+"</h1>") || w.Header().Get("Content-Type") != "text/html") {
				t.Errorf("%s %s: %s %q", c.method, c.path, w.Header().Get("Content-Type"), w.Body)
			}
		}
		token := s.token(t, bridge)
		get := func(from, token string) (int, string) {
			w, _ := s.ask("GET", "/latest/meta-data/instance-id", from, tokenHeader, token)
			return w.Code, w.Header().Get(lifetimeHeader)
		}
		if code, left := get(bridge, token); code != 200 || left != "60" {
			t.Errorf("%d, good for %s s", code, left)
		}
		if code, _ := get("vpc-1/10.0.0.5", token); code != 200 {
			t.Errorf("of the same instance: %d", code)
		}
		if code, _ := get("172.17.0.3", token); code != 401 {
			t.Errorf("of another instance: %d", code)
		}
		if other := newService(newMachine()).token(t, bridge); other != token {
			if code, _ := get(bridge, other); code != 401 {
				t.Errorf("of another agent: %d", code)
			}
		}
		for n := range token {
			flipped := []byte(token)
			flipped[n] = map[bool]byte{true: 'B', false: 'A'}[flipped[n] == 'A']
			if code, _ := get(bridge, string(flipped)); code == 200 && n < 53 { // the last characters have bits that count for nothing
				t.Errorf("changed at %d: %d", n, code)
			}
		}
		time.Sleep(59 * time.Second)
		if code, left := get(bridge, token); code != 200 || left != "1" {
			t.Errorf("in its last second: %d, good for %s s", code, left)
		}
		time.Sleep(time.Second)
		if code, _ := get(bridge, token); code != 401 {
			t.Errorf("expired: %d", code)
		}
		s.Optional = true
		if w, _ := s.ask("GET", "/latest/meta-data/instance-id", bridge); w.Code != 200 || w.Body.String() != "i-11111111111111111" {
			t.Errorf("version 1: %d %s", w.Code, w.Body)
		}
		if code, _ := get(bridge, token); code != 401 {
			t.Errorf("expired, where none is needed: %d", code)
		}
	})
}

func TestValues(t *testing.T) {
	s := newService(newMachine())
	token := s.token(t, bridge)
	const mac = "/latest/meta-data/network/interfaces/macs/02:00:00:00:00:01/"
	for path, want := range map[string]string{
		"/":                                           strings.Join(versions, "\n"),
		"/latest":                                     "dynamic\nmeta-data",
		"/latest/":                                    "dynamic\nmeta-data",
		"/latest/meta-data":                           "ami-launch-index\nhostname\niam/\ninstance-action\ninstance-id\ninstance-life-cycle\nlocal-hostname\nlocal-ipv4\nmac\nnetwork/\nplacement/\nservices/",
		"/latest/meta-data/instance-id":               "i-11111111111111111",
		"/2021-07-15/meta-data/instance-id":           "i-11111111111111111",
		"/1.0/meta-data/instance-id":                  "i-11111111111111111",
		"/2020-01-01/meta-data/instance-id":           "",
		"/latest/meta-data/instance-id/":              "",
		"/latest/meta-data/instance-id/x":             "",
		"/latest/meta-data/ami-id":                    "",
		"/latest/meta-data/tags/instance":             "",
		"/latest/user-data":                           "",
		"/latest/meta-dat":                            "",
		"/latest/meta-data/local-ipv4":                "192.0.2.10",
		"/latest/meta-data/mac":                       "02:00:00:00:00:01",
		"/latest/meta-data/placement/":                "availability-zone\nregion",
		"/latest/meta-data/placement/region":          "us-east-1",
		"/latest/meta-data/services/domain":           "amazonaws.com",
		"/latest/meta-data/network/interfaces/":       "macs/",
		strings.TrimSuffix(mac, "02:00:00:00:00:01/"): "02:00:00:00:00:01/",
		mac:                      "device-number\nlocal-hostname\nlocal-ipv4s\nmac\nowner-id",
		mac + "owner-id":         "123456789012",
		mac + "local-ipv4s":      "192.0.2.10",
		"/latest/meta-data/iam/": "info\nsecurity-credentials/",
		"/latest/meta-data/iam/security-credentials":  "ecsInstanceRole",
		"/latest/meta-data/iam/security-credentials/": "ecsInstanceRole",
		"/latest/meta-data/iam/info": `{
  "Code" : "Success",
  "LastUpdated" : "2031-01-02T03:04:05Z",
  "InstanceProfileArn" : "arn:aws:iam::123456789012:instance-profile/ecsInstanceRole",
  "InstanceProfileId" : "AIPA1"
}`,
		"/latest/meta-data/iam/security-credentials/other": "",
		"/latest/meta-data/iam/security-credentials/ecsInstanceRole": `{
  "Code" : "Success",
  "LastUpdated" : "2031-01-02T03:04:05Z",
  "Type" : "AWS-HMAC",
  "AccessKeyId" : "ASIA1",
  "SecretAccessKey" : "most-secret",
  "Token" : "t0ken+/=",
  "Expiration" : "2031-01-02T09:04:05Z"
}`,
		"/latest/dynamic/instance-identity/":          "document",
		"/latest/dynamic/instance-identity/signature": "",
		"/latest/dynamic/instance-identity/document": `{
  "accountId" : "123456789012",
  "architecture" : "x86_64",
  "availabilityZone" : "us-east-1a",
  "billingProducts" : null,
  "devpayProductCodes" : null,
  "marketplaceProductCodes" : null,
  "imageId" : null,
  "instanceId" : "i-11111111111111111",
  "instanceType" : null,
  "kernelId" : null,
  "pendingTime" : "2031-01-01T00:00:00Z",
  "privateIp" : "192.0.2.10",
  "ramdiskId" : null,
  "region" : "us-east-1",
  "version" : "2017-09-30"
}`,
	} {
		w, closed := s.ask("GET", path, bridge, tokenHeader, token)
		status := map[bool]int{true: 404, false: 200}[want == ""]
		if w.Code != status || closed || want != "" && w.Body.String() != want {
			t.Errorf("%s: %d\n%s\nwant\n%s", path, w.Code, w.Body, want)
		}
		if w.Header().Get("Server") != "EC2ws" {
			t.Errorf("%s: the server is %q", path, w.Header().Get("Server"))
		}
	}
}

// TestRoles: an instance without a profile has no folder iam, one whose profile has no role no credentials, and where the role cannot be assumed it is said why.
func TestRoles(t *testing.T) {
	m := newMachine()
	s := newService(m)
	token := s.token(t, bridge)
	get := func(path string) (int, string) {
		w, _ := s.ask("GET", "/latest/meta-data/"+path, bridge, tokenHeader, token)
		return w.Code, w.Body.String()
	}
	m.role.AccessKeyID, m.role.Code, m.role.Message = "", "AssumeRoleUnauthorizedAccess", "EC2 cannot assume the role ecsInstanceRole."
	if code, text := get("iam/security-credentials/ecsInstanceRole"); code != 200 || strings.Contains(text, secret) || !strings.Contains(text, `"Code" : "AssumeRoleUnauthorizedAccess"`) {
		t.Errorf("%d %s", code, text)
	}
	m.role.Role = ""
	if code, _ := get("iam/security-credentials/"); code != 404 {
		t.Errorf("a profile without a role: %d", code)
	}
	if code, text := get("iam/info"); code != 200 || !json.Valid([]byte(text)) {
		t.Errorf("a profile without a role: %d %s", code, text)
	}
	m.role = agent.InstanceRole{}
	for _, path := range []string{"iam/", "iam/info", "iam/security-credentials/"} {
		if code, _ := get(path); code != 404 {
			t.Errorf("no profile: %s %d", path, code)
		}
	}
	m.err = errors.New("the control plane does not answer")
	if code, _ := get("iam/info"); code != 503 {
		t.Errorf("no answer: %d", code)
	}
	if code, text := get(""); code != 200 || !strings.Contains(text, "instance-id") {
		t.Errorf("no answer: the listing is %d %s", code, text)
	}
}

// TestNoAnswer: the connection of who is no container of EC2 mode, or of a mode that is blocked, is closed.
func TestNoAnswer(t *testing.T) {
	s := newService(newMachine())
	s.Optional = true
	for _, from := range []string{"172.17.0.9", "172.17.0.77", "127.0.0.1", "vpc-1/10.0.0.9", "vpc-1/172.17.0.2", "vpc-2/10.0.0.5", "10.0.0.5"} {
		for _, method := range []string{"GET", "PUT"} {
			w, closed := s.ask(method, "/latest/meta-data/", from, lifetimeHeader, "60")
			if !closed || w.Body.Len() > 0 {
				t.Errorf("%s %s: %d %s", method, from, w.Code, w.Body)
			}
		}
	}
	// nobody says who he is but another agent that knows the key
	for _, key := range []string{"", "guess"} {
		if _, closed := s.ask("GET", "/latest/meta-data/", "127.0.0.1", callerHeader, bridge, keyHeader, key); !closed {
			t.Errorf("%q: who shows no key asks for a container", key)
		}
	}
}

// TestTooMuch: an address that asks too often waits, and no other.
func TestTooMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(newMachine())
		s.Optional = true
		refused := 0
		for range askBurst + 50 {
			if w, _ := s.ask("GET", "/latest/meta-data/instance-id", bridge); w.Code == http.StatusServiceUnavailable {
				refused++
			}
		}
		if refused != 50 {
			t.Errorf("%d are refused", refused)
		}
		if w, _ := s.ask("GET", "/latest/meta-data/instance-id", "172.17.0.3"); w.Code != 200 {
			t.Errorf("another one: %d", w.Code)
		}
		time.Sleep(time.Second)
		if w, _ := s.ask("GET", "/latest/meta-data/instance-id", bridge); w.Code != 200 {
			t.Errorf("a second later: %d", w.Code)
		}
	})
}

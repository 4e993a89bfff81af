package frontdoor

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

const report = `{"cluster":"demo","task":"arn:aws:ecs:us-east-1:123456789012:task/demo/0123456789abcdef0123456789abcdef","status":"RUNNING","reason":"",` +
	`"pullStartedAt":1795404837.126,"pullStoppedAt":1795404837.172,"containers":[{"containerName":"c","imageDigest":` +
	`"sha256:7666000000000000000000000000000000000000000000000000000000000000","runtimeId":"6e21970000000000000000000000000000000000000000000000000000000000",` +
	`"status":"RUNNING","networkBindings":[{"bindIP":"0.0.0.0","containerPort":8080,"hostPort":32768,"protocol":"tcp"}]}]}`

// BenchmarkSubmitTaskStateChange is the door's share of an agent's report: verify, decode, ask the policy, dispatch, encode.
func BenchmarkSubmitTaskStateChange(b *testing.B) {
	d := testDoor(func(c *Config) { c.Skew = time.Hour })
	r := jsonRequest("SubmitTaskStateChange", report)
	r.Header.Set("User-Agent", "Amazon ECS Agent - v1.105.1 (*a8b3e7d3) (linux; LINUX) (+http://aws.amazon.com/ecs/)")
	r.Header.Set("Amz-Sdk-Invocation-Id", "4d504571-0000-4000-8000-000000000000")
	r.Header.Set("Amz-Sdk-Request", "attempt=1; max=298")
	signed(b, r, report, "ecs", adminKeys, time.Now())
	w := &discard{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		r.Body = io.NopCloser(strings.NewReader(report))
		d.ServeHTTP(w, r)
		if w.status != 200 {
			b.Fatal(w.status)
		}
	}
}

// BenchmarkVerify is the signature's share of it.
func BenchmarkVerify(b *testing.B) {
	d := testDoor(func(c *Config) { c.Skew = time.Hour })
	r := signed(b, jsonRequest("SubmitTaskStateChange", report), report, "ecs", adminKeys, time.Now())
	b.ReportAllocs()
	for b.Loop() {
		if f := verdict(d, r, report); f != nil {
			b.Fatal(f.text)
		}
	}
}

// discard is a response that nobody reads.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }

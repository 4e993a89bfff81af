package relay

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestLines(t *testing.T) {
	code := 3
	at := time.Date(2026, 11, 29, 12, 0, 0, 123456789, time.UTC)
	r := Record{Request: Request{Task: demo.Task("t"), Container: "app", Command: "sh", Caller: "me"}, ID: "s", Began: at, Ended: at.Add(time.Second), ExitCode: &code,
		Transcript: []byte("one\r\n\n\r\ntwo \xff\nthree")}
	want := []string{
		`{"sessionId":"s","taskArn":"arn:aws:ecs:us-east-1:123456789012:task/demo/t","containerName":"app","command":"sh","caller":"me","startedAt":"2026-11-29T12:00:00.123Z",` +
			`"stoppedAt":"2026-11-29T12:00:01.123Z","exitCode":3}`, "one", "two \ufffd", "three",
	}
	if got := r.Lines(); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	r.Transcript = []byte(strings.Repeat("ü", longest))
	got := r.Lines()[1:]
	if strings.Join(got, "") != string(r.Transcript) {
		t.Error("a long line is not whole")
	}
	for _, line := range got {
		if len(line) > longest || !utf8.ValidString(line) {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
}

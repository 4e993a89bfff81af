package logs

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"

	"berth/internal/logs"
	"berth/internal/logstore"
)

// listen runs a live tail for some time, calls between after the first second, and returns what came: a line a message, with the time of its coming.
func (a *account) listen(t *testing.T, request string, during time.Duration, between func()) string {
	t.Helper()
	answer, failed := a.call(t, "StartLiveTail", request)
	if failed != nil {
		t.Fatal(failed)
	}
	ctx, cancel := context.WithTimeout(t.Context(), during)
	defer cancel()
	begin := time.Now()
	var body bytes.Buffer
	var out strings.Builder
	done := make(chan error, 1)
	go func() {
		done <- answer.(*LiveTail).Stream(ctx, &body, func() error {
			m, err := eventstream.NewDecoder().Decode(&body, nil)
			if err != nil {
				return err
			}
			kind := m.Headers.Get(":event-type")
			if kind == nil {
				kind = m.Headers.Get(":exception-type")
			}
			fmt.Fprintf(&out, "%v %s %s\n", time.Since(begin).Round(time.Millisecond), kind, m.Payload)
			return nil
		})
	}()
	time.Sleep(time.Second + time.Millisecond)
	between()
	if err := <-done; err != nil {
		t.Error(err)
	}
	return out.String()
}

func TestLiveTail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := seeded(t)
		a.must(t, "CreateLogGroup", `{"logGroupName":"g"}`)
		for _, s := range []string{"a/1", "b"} {
			a.must(t, "CreateLogStream", `{"logGroupName":"g","logStreamName":"`+s+`"}`)
		}
		put := func(stream, message string) {
			a.must(t, "PutLogEvents", fmt.Sprintf(`{"logGroupName":"g","logStreamName":"%s","logEvents":[{"timestamp":%d,"message":"%s"}]}`, stream, ms(0), message))
		}
		got := a.listen(t, `{"logGroupIdentifiers":["arn:aws:logs:us-east-1:123456789012:log-group:g"],"logStreamNamePrefixes":["a/"],"logEventFilterPattern":"-secret"}`,
			3*time.Second, func() {
				put("a/1", "one")
				put("b", "another stream")
				put("a/1", "a secret")
				time.Sleep(500 * time.Millisecond)
				put("a/1", "two")
			})
		want := `0s initial-response {}
0s sessionStart {"requestId":"request","sessionId":"SESSION","logGroupIdentifiers":["arn:aws:logs:us-east-1:123456789012:log-group:g"],"logStreamNamePrefixes":["a/"],"logEventFilterPattern":"-secret"}
1s sessionUpdate {"sessionMetadata":{"sampled":false},"sessionResults":[]}
1.001s sessionUpdate {"sessionMetadata":{"sampled":false},"sessionResults":[{"logStreamName":"a/1","logGroupIdentifier":"arn:aws:logs:us-east-1:123456789012:log-group:g","message":"one","timestamp":946684801001,"ingestionTime":946684801001}]}
1.501s sessionUpdate {"sessionMetadata":{"sampled":false},"sessionResults":[{"logStreamName":"a/1","logGroupIdentifier":"arn:aws:logs:us-east-1:123456789012:log-group:g","message":"two","timestamp":946684801501,"ingestionTime":946684801501}]}
2.501s sessionUpdate {"sessionMetadata":{"sampled":false},"sessionResults":[]}
`
		_, after, _ := strings.Cut(got, `"sessionId":"`)
		id, _, _ := strings.Cut(after, `"`)
		if got := strings.ReplaceAll(got, id, "SESSION"); got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
	})
}

// TestLiveTailOfMany: a client that is told more than it may hold is told that it has a sample; a session ends after three hours.
func TestLiveTailOfMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := seeded(t)
		a.must(t, "CreateLogGroup", `{"logGroupName":"g"}`)
		a.must(t, "CreateLogStream", `{"logGroupName":"g","logStreamName":"s"}`)
		event := fmt.Sprintf(`{"timestamp":%d,"message":"x"}`, ms(0))
		events := strings.TrimSuffix(strings.Repeat(event+",", mostTailed+1), ",")
		got := a.listen(t, `{"logGroupIdentifiers":["g"]}`, 4*time.Hour, func() {
			a.must(t, "PutLogEvents", `{"logGroupName":"g","logStreamName":"s","logEvents":[`+events+`]}`)
		})
		if n := strings.Count(got, `"message":"x"`); n != mostTailed {
			t.Errorf("%d events came", n)
		}
		if n := strings.Count(got, `"sampled":true`); n != 1 {
			t.Errorf("%d messages say that they are samples", n)
		}
		if !strings.HasSuffix(got, `3h0m0s SessionTimeoutException {"message":"The live tail session has been open for three hours."}`+"\n") {
			t.Errorf("it ends with %s", got[len(got)-200:])
		}
	})
}

// TestMostTails: an account may have so many live tails at a time.
func TestMostTails(t *testing.T) {
	a := newAccount(t)
	a.must(t, "CreateLogGroup", `{"logGroupName":"g"}`)
	for range 2 {
		answer, failed := a.call(t, "StartLiveTail", `{"logGroupIdentifiers":["g"]}`)
		if failed != nil {
			t.Fatal(failed)
		}
		ctx, cancel := context.WithCancel(t.Context())
		begun, done := make(chan struct{}, 10), make(chan struct{})
		go func() {
			defer close(done)
			if err := answer.(*LiveTail).Stream(ctx, io.Discard, func() error { begun <- struct{}{}; return nil }); err != nil {
				t.Error(err)
			}
		}()
		t.Cleanup(func() { cancel(); <-done })
		<-begun
	}
	if _, err := a.call(t, "StartLiveTail", `{"logGroupIdentifiers":["g"]}`); err == nil || err.Code != "LimitExceededException" {
		t.Errorf("one more: %v", err)
	}
}

// TestLiveTailOfBytes: what is no text is six times as long in JSON, and comes in messages that clients take.
func TestLiveTailOfBytes(t *testing.T) {
	var tails logstore.Tails
	tail := tails.Follow(logstore.Following{Groups: []string{"g"}, MostEvents: mostTailed, MostBytes: mostTailedBytes})
	message := strings.Repeat("\x01", mostPutBytes-eventBytes)
	for range 3 {
		tails.Publish(logs.StreamName{Group: "g", Name: "s"}, []logs.Event{{Message: message}}, 1)
	}
	var body bytes.Buffer
	came := 0
	s := &session{to: &body, encoder: eventstream.NewEncoder(), flush: func() error {
		if body.Len() > 16<<20 { // what clients take, but for the newest
			t.Errorf("a message of %d bytes", body.Len())
		}
		m, err := eventstream.NewDecoder().Decode(&body, nil)
		came += strings.Count(string(m.Payload), `"message"`)
		return err
	}}
	for range 3 {
		if err := s.update(tail, false); err != nil {
			t.Fatal(err)
		}
	}
	if came != 3 {
		t.Errorf("%d events came", came)
	}
}

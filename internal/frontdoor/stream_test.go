package frontdoor

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
)

// ticks is a streamed answer: it writes what it is given.
type ticks struct {
	lines <-chan string
	ended chan<- error
}

func (s *ticks) Stream(ctx context.Context, w io.Writer, flush func() error) error {
	for {
		select {
		case line, more := <-s.lines:
			if !more {
				return nil
			}
			if _, err := io.WriteString(w, line+"\n"); err != nil {
				return err
			}
			if err := flush(); err != nil {
				return err
			}
		case <-ctx.Done():
			s.ended <- ctx.Err()
			return ctx.Err()
		}
	}
}

// TestStream: an answer that goes on is there as it is written, takes no seat, and ends with its client.
func TestStream(t *testing.T) {
	lines, ended := make(chan string), make(chan error, 1)
	door := testDoor(func(c *Config) {
		c.Limits.Writes = 1
		c.Services = []Service{{Name: "ecs", Protocol: AWSJSON11, Target: c.Services[0].Target, Known: []string{"ExecuteCommand", "StopTask"}, Operations: []Operation{
			Op("ExecuteCommand", func(context.Context, *Request, *awsecs.ExecuteCommandInput) (*ticks, error) {
				return &ticks{lines, ended}, nil
			}),
			Op("StopTask", func(context.Context, *Request, *awsecs.StopTaskInput) (*awsecs.StopTaskOutput, error) {
				return &awsecs.StopTaskOutput{}, nil
			}),
		}}}
	})
	server := httptest.NewServer(door)
	defer server.Close()
	ask := func(ctx context.Context, operation string) *http.Response {
		t.Helper()
		r := signedJSON(t, operation, "{}", adminKeys)
		out, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		out.Header, out.Host = r.Header, r.Host
		answer, err := http.DefaultClient.Do(out)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	go func() { lines <- "one" }()
	answer := ask(ctx, "ExecuteCommand")
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != eventStream || answer.Header.Get("X-Amzn-Requestid") == "" {
		t.Fatalf("answered %s %v", answer.Status, answer.Header)
	}
	body := bufio.NewReader(answer.Body)
	for _, want := range []string{"one\n", "two\n"} {
		if got, err := body.ReadString('\n'); err != nil || got != want {
			t.Fatalf("%q, %v", got, err)
		}
		if want == "one\n" {
			other := ask(t.Context(), "StopTask") // there is one seat
			other.Body.Close()
			if other.StatusCode != http.StatusOK {
				t.Errorf("while it goes on, others are answered %s", other.Status)
			}
			lines <- "two"
		}
	}
	leave()
	<-ended
}

// TestMaxBodyOfService: a service may take longer bodies than others.
func TestMaxBodyOfService(t *testing.T) {
	long := `{"clusterName":"` + strings.Repeat("x", 2000) + `"}`
	for most, want := range map[int64]int{0: http.StatusRequestEntityTooLarge, 4000: http.StatusOK, 1000: http.StatusRequestEntityTooLarge} {
		door := testDoor(func(c *Config) {
			c.MaxBody = 1500
			c.Services[0].MaxBody = most
		})
		if got := serve(door, signedJSON(t, "CreateCluster", long, adminKeys)); got.Code != want {
			t.Errorf("with %d: %d %s", most, got.Code, got.Body)
		}
	}
}

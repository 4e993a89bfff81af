package endpoint

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awscredentials "github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"berth/internal/sdkhttp"
)

// reaching is an agent whose control plane is somewhere, and that has the key of a task.
type reaching struct {
	plane
	at, key string
}

func (p *reaching) Send(r *http.Request) (*http.Response, error) {
	u, err := url.Parse(p.at)
	if err != nil {
		return nil, err
	}
	r.URL.Scheme, r.URL.Host, r.RequestURI = u.Scheme, u.Host, ""
	return http.DefaultTransport.RoundTrip(r)
}

func (p *reaching) Holds(key string) bool { return key == p.key }

// inContainer is an SDK in a container whose endpoint is an agent.
func inContainer(at netip.AddrPort, key string) *sts.Client {
	return sts.New(sts.Options{Region: "us-east-1", BaseEndpoint: aws.String("http://" + at.String()), HTTPClient: sdkhttp.New(), Retryer: aws.NopRetryer{},
		Credentials: awscredentials.NewStaticCredentialsProvider(key, "s3cr3t", "t0ken")})
}

// controlPlane answers GetCallerIdentity with its name and what of the request is signed.
func controlPlane(t *testing.T, name string) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "text/xml")
		for header := range r.Header {
			if strings.HasPrefix(header, "X-Forwarded") || strings.HasPrefix(header, "Berth") && name == "strict" {
				t.Errorf("the control plane is sent %s", header)
			}
		}
		io.WriteString(w, "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>"+name+"</Account><Arn>"+r.Host+r.URL.Path+" "+keyOf(r)+"</Arn><UserId>"+strings.ReplaceAll(string(body), "&", " ")+"</UserId></GetCallerIdentityResult></GetCallerIdentityResponse>") //nolint:errcheck // the caller misses it
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestAPIs: what a container calls at the agent's address the control plane is sent as it was signed, with the name of the host by which the container called.
func TestAPIs(t *testing.T) {
	at := serve(t, Handler(&reaching{at: controlPlane(t, "strict"), key: "ASIA1"}, nil))
	for range 100 { // its rate is not limited here
		got, err := inContainer(at, "ASIA1").GetCallerIdentity(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if *got.Account != "strict" || *got.Arn != at.String()+"/ ASIA1" || *got.UserId != "Action=GetCallerIdentity Version=2011-06-15" {
			t.Fatalf("%q, %q, %q", *got.Account, *got.Arn, *got.UserId)
		}
	}
	for method, path := range map[string]string{"GET": "/", "POST": "/v2/", "PUT": "/"} { // nothing else of the control plane is there
		r, err := http.NewRequestWithContext(t.Context(), method, "http://"+at.String()+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusNotFound && answer.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("%s %s: %s", method, path, answer.Status)
		}
	}
}

// TestAPIsOfOthers: on the network of the machine, the agent that has the key of a call passes it on, to its own control plane.
func TestAPIsOfOthers(t *testing.T) {
	var known [2]peers
	var at [2]netip.AddrPort
	for i, name := range []string{"one", "two"} {
		at[i] = serve(t, Handler(&reaching{at: controlPlane(t, name), key: "ASIA" + name}, &known[i]))
	}
	gone := netip.MustParseAddrPort("127.0.0.1:1") // nobody listens there
	known[0], known[1] = peers{gone, at[1]}, peers{at[0]}
	for key, want := range map[string]string{"ASIAone": "one", "ASIAtwo": "two", "AKIAnobodys": "one"} {
		got, err := inContainer(at[0], key).GetCallerIdentity(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if *got.Account != want || *got.Arn != at[0].String()+"/ "+key {
			t.Errorf("%s: %s, %s", key, *got.Account, *got.Arn)
		}
	}
	answer, err := http.Get("http://" + at[1].String() + keysPath + "ASIAtwo") // by a container
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusNotFound {
		t.Errorf("a container is told whose a key is: %s", answer.Status)
	}
}

// TestNoControlPlane: an SDK is told that nobody answers, in the words of its protocol.
func TestNoControlPlane(t *testing.T) {
	at := serve(t, Handler(&plane{}, nil))
	_, err := inContainer(at, "ASIA1").GetCallerIdentity(t.Context(), nil)
	if err == nil || !strings.Contains(err.Error(), "StatusCode: 503") || !strings.Contains(err.Error(), "ServiceUnavailable") {
		t.Error(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}"))
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	w := httptest.NewRecorder()
	refuseAPI(w, r, errors.New("refused"))
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), `"__type":"ServiceUnavailableException"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestStreamedAnswers: what the control plane says in pieces comes in pieces, also after the time in which the agent answers everything else, and ends with its reader.
func TestStreamedAnswers(t *testing.T) {
	ended, say := make(chan struct{}), make(chan string)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		for {
			select {
			case line := <-say:
				io.WriteString(w, line+"\n") //nolint:errcheck // the reader misses it
				http.NewResponseController(w).Flush()
			case <-r.Context().Done():
				return
			}
		}
	}))
	t.Cleanup(s.Close)
	server := httptest.NewUnstartedServer(Handler(&reaching{at: s.URL, key: "ASIA1"}, nil))
	server.Config.WriteTimeout, server.Config.ReadTimeout = 50*time.Millisecond, 50*time.Millisecond
	server.Start()
	t.Cleanup(server.Close)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	go func() { say <- "first" }()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(answer.Body)
	for n, want := range []string{"first", "second", "third"} {
		if n > 0 {
			time.Sleep(60 * time.Millisecond)
			say <- want
		}
		if !lines.Scan() || lines.Text() != want {
			t.Fatalf("%q, %v, want %q", lines.Text(), lines.Err(), want)
		}
	}
	stop()
	answer.Body.Close()
	<-ended
}

// Package sdkhttp is how the AWS SDK for Go sends its requests here.
//
// The SDK closes a request's body as soon as its answer begins (ClientHandler of smithy-go's transport/http). Go's transport may look just then whether the body has
// more to say than its length, and copies it to nowhere for that: a closed body of the SDK answers its WriteTo with io.EOF, which is an error there, and the transport
// closes the connection under an answer that is not yet read. A service a network away answers too late for it. A replica on the same, busy machine does not: of 96,000
// calls ten failed, with "use of closed network connection" or "unexpected EOF" in the midst of an answer of 20 KB, which the SDK does not ask for again.
package sdkhttp

import (
	"io"
	"net/http"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// Transport sends requests by another, with bodies that can only be read: a closed one of the SDK answers Read as it should.
type Transport struct{ http.RoundTripper }

// New is a client with the SDK's own settings.
func New() *http.Client { return Client(awshttp.NewBuildableClient().GetTransport()) }

// Client is a client with a transport.
func Client(t http.RoundTripper) *http.Client { return &http.Client{Transport: Transport{t}} }

// RoundTrip sends a request.
func (t Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return t.RoundTripper.RoundTrip(r)
	}
	read := *r // a RoundTripper must not change the request
	read.Body = reader{r.Body}
	return t.RoundTripper.RoundTrip(&read)
}

// CloseIdleConnections is what a client's CloseIdleConnections asks for.
func (t Transport) CloseIdleConnections() {
	if c, is := t.RoundTripper.(interface{ CloseIdleConnections() }); is {
		c.CloseIdleConnections()
	}
}

// reader hides that a body has a WriteTo.
type reader struct{ io.ReadCloser }

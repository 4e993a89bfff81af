package berth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"
)

// The SDKs do not have these operations: this is how Berth's own programs call them.

// Client calls operations at a replica.
type Client struct {
	Endpoint   string // "http://host:port"
	Region     string
	HTTPClient *http.Client // nil: http.DefaultClient
}

// mostAnswer is how long an answer may be, in bytes.
const mostAnswer = 256 << 10

// Call makes a call, signed with a key. out is a pointer to what its answer is read into, nil where nobody wants to know. A *Refused says what the control plane
// has against it; with other errors it may not have answered.
func (c *Client) Call(ctx context.Context, key aws.Credentials, operation string, in, out any) error {
	r, body, err := NewRequest(ctx, c.Endpoint, Target, operation, in)
	if err != nil {
		return err
	}
	if err := Sign(ctx, key, r, "berth", c.Region, body); err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	return Send(c.HTTPClient, r, operation, out)
}

// Send sends a call's request, with http.DefaultClient where client is nil, and reads its answer as Call does.
func Send(client *http.Client, r *http.Request, operation string, out any) error {
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s: %w", operation, Refusal(resp))
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, mostAnswer)).Decode(out); err != nil { // what is cut off does not decode
		return fmt.Errorf("%s: the answer: %w", operation, err)
	}
	return nil
}

// NewRequest is a call's request, not signed yet, and its body. target is the API's prefix of X-Amz-Target.
func NewRequest(ctx context.Context, endpoint, target, operation string, in any) (*http.Request, []byte, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", operation, err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint+"/", bytes.NewReader(body))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", operation, err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", target+"."+operation)
	return r, body, nil
}

// Sign signs a request for a service.
func Sign(ctx context.Context, key aws.Credentials, r *http.Request, service, region string, body []byte) error {
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(ctx, key, r, hex.EncodeToString(sum[:]), service, region, time.Now()); err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	return nil
}

// Refused is an answer that is no success. Code and Message are the control plane's words; Code is "" where it was not one of its answers.
type Refused struct {
	Status        string // "400 Bad Request"
	Code, Message string
}

func (r *Refused) Error() string {
	if r.Code == "" {
		return r.Status + ": " + r.Message
	}
	return r.Code + ": " + r.Message
}

var _ smithy.APIError = (*Refused)(nil)

// ErrorCode, ErrorMessage and ErrorFault make it an error as the SDK's are.
func (r *Refused) ErrorCode() string    { return r.Code }
func (r *Refused) ErrorMessage() string { return r.Message }
func (r *Refused) ErrorFault() smithy.ErrorFault {
	if r.Unavailable() {
		return smithy.FaultServer
	}
	return smithy.FaultClient
}

// Unavailable says that the control plane could not do it just now, or what stands before it: another replica may, or the same one later.
func (r *Refused) Unavailable() bool { return strings.HasPrefix(r.Status, "5") }

// Refusal reads an answer that is no success.
func Refusal(resp *http.Response) *Refused {
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10)) //nolint:errcheck // what has come is told
	var e struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}
	if json.Unmarshal(text, &e) == nil && e.Type != "" {
		return &Refused{Status: resp.Status, Code: e.Type, Message: e.Message}
	}
	return &Refused{Status: resp.Status, Message: string(bytes.TrimSpace(text))}
}

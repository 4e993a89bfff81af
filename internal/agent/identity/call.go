package identity

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// call is a call of an operation that the SDK lacks: JSON to and fro.
type call struct {
	Endpoint, Region, Service, Target string
	Client                            *http.Client // nil: http.DefaultClient
}

// Refused is an answer that is no success, in the control plane's words. Code is "" where it was not one of its answers.
type Refused struct {
	Status        int
	Code, Message string
}

func (r *Refused) Error() string {
	if r.Code == "" {
		return fmt.Sprintf("%d: %s", r.Status, r.Message)
	}
	return r.Code + ": " + r.Message
}

// mostAnswer is how long an answer may be.
const mostAnswer = 256 << 10

// signed makes the call with a key.
func (c *call) signed(ctx context.Context, key aws.Credentials, in, out any) error {
	return c.send(ctx, in, out, func(r *http.Request, body []byte) error {
		sum := sha256.Sum256(body)
		return v4.NewSigner().SignHTTP(ctx, key, r, hex.EncodeToString(sum[:]), c.Service, c.Region, time.Now())
	})
}

// send makes the call. sign signs the request.
func (c *call) send(ctx context.Context, in, out any, sign func(r *http.Request, body []byte) error) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Target, err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Endpoint+"/", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%s: %w", c.Target, err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", c.Target)
	if err := sign(r, body); err != nil {
		return fmt.Errorf("%s: sign: %w", c.Target, err)
	}
	client := c.Client
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Target, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	if err != nil {
		return fmt.Errorf("%s: %w", c.Target, err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %w", c.Target, refusal(resp.StatusCode, text))
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("%s: the answer: %w", c.Target, err)
	}
	return nil
}

func refusal(status int, text []byte) *Refused {
	var e struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}
	if json.Unmarshal(text, &e) == nil && e.Type != "" {
		return &Refused{Status: status, Code: e.Type, Message: e.Message}
	}
	return &Refused{Status: status, Message: string(bytes.TrimSpace(text[:min(len(text), 512)]))}
}

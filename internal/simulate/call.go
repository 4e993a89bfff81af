package simulate

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// call makes one signed call of the ECS API over a kept connection. out may be nil. Its error is an *apiError where the control plane answered.
func (i *instance) call(ctx context.Context, operation string, in, out any) error {
	began := time.Now()
	err := i.ask(ctx, operation, in, out)
	if err != nil && ctx.Err() != nil {
		return err // it was given up, which is nobody's failure
	}
	if e := (*apiError)(nil); errors.As(err, &e) && e.throttled() {
		i.fleet.Throttled.Add(1)
	} else if err != nil {
		i.fleet.Errors.Add(1)
	}
	if called := i.fleet.Called; called != nil {
		called(operation, time.Since(began), err)
	}
	return err
}

func (i *instance) ask(ctx context.Context, operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, i.fleet.Endpoint+"/", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	i.key.sign(r, "AmazonEC2ContainerServiceV20141113."+operation, body, time.Now())
	resp, err := i.fleet.api.Do(r)
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", operation, err)
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("%s: %w", operation, readError(resp.StatusCode, answer))
	case out == nil:
		return nil
	}
	return json.Unmarshal(answer, out)
}

// signer signs requests (SigV4) with one key. It keeps the day's derived key: a fleet signs thousands of requests a second.
type signer struct {
	id, secret, region string

	mu  sync.Mutex
	day string
	key []byte
}

const contentType = "application/x-amz-json-1.1"

func (s *signer) sign(r *http.Request, target string, body []byte, now time.Time) {
	stamp := now.UTC().Format("20060102T150405Z")
	day := stamp[:8]
	r.Header["Content-Type"] = []string{contentType}
	r.Header["X-Amz-Date"] = []string{stamp}
	r.Header["X-Amz-Target"] = []string{target}
	r.Header["User-Agent"] = []string{"berth-simulate"}
	sum := sha256.Sum256(body)
	b := make([]byte, 0, 512)
	b = append(b, "POST\n/\n\ncontent-type:"+contentType+"\nhost:"...)
	b = append(b, r.URL.Host...)
	b = append(b, "\nx-amz-date:"...)
	b = append(b, stamp...)
	b = append(b, "\nx-amz-target:"...)
	b = append(b, target...)
	b = append(b, "\n\n"+signed+"\n"...)
	b = hex.AppendEncode(b, sum[:])
	canonical := sha256.Sum256(b)
	scope := day + "/" + s.region + "/ecs/aws4_request"
	b = append(b[:0], "AWS4-HMAC-SHA256\n"...)
	b = append(b, stamp+"\n"+scope+"\n"...)
	b = hex.AppendEncode(b, canonical[:])
	signature := mac(s.derived(day), b)
	r.Header["Authorization"] = []string{"AWS4-HMAC-SHA256 Credential=" + s.id + "/" + scope + ", SignedHeaders=" + signed + ", Signature=" + hex.EncodeToString(signature)}
}

const signed = "content-type;host;x-amz-date;x-amz-target"

func (s *signer) derived(day string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.day != day {
		k := mac([]byte("AWS4"+s.secret), []byte(day))
		k = mac(k, []byte(s.region))
		k = mac(k, []byte("ecs"))
		s.day, s.key = day, mac(k, []byte("aws4_request"))
	}
	return s.key
}

func mac(key, text []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(text)
	return h.Sum(nil)
}

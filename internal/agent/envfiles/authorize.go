package envfiles

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

	"berth/internal/api/berth"
)

// denied is the control plane's refusal, in S3's words.
type denied struct{ text string }

func (d *denied) Error() string { return d.text }

// authorize asks the control plane whether a task's execution role may read an object: the question is signed with the role's own credentials, so that it is its
// policies that are asked, and who may do what stands in one place.
func (r *Reader) authorize(ctx context.Context, role aws.Credentials, o object) error {
	body, err := json.Marshal(map[string]string{"bucket": o.bucketARN, "object": o.arn})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.config.Endpoint()+"/", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("control plane's address: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", berth.Target+".AuthorizeEnvironmentFile")
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(ctx, role, req, hex.EncodeToString(sum[:]), "berth", r.config.Region, time.Now()); err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	resp, err := r.config.HTTPClient.Do(req)
	if err != nil {
		return &planeError{fmt.Errorf("ask the control plane: %w", err)}
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10)) // what is cut off does not decode
	if err != nil {
		return &planeError{fmt.Errorf("ask the control plane: %w", err)}
	}
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	var e struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}
	if json.Unmarshal(answer, &e) == nil && e.Type == "AccessDeniedException" {
		return &denied{"AccessDenied: " + e.Message}
	}
	return &planeError{fmt.Errorf("ask the control plane: %s: %s %s", resp.Status, e.Type, e.Message)}
}

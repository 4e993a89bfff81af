package berth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// JoinPath is where a machine trades its token. It needs no signature: the token is all that the machine has.
const JoinPath = "/berth/v1/join"

// Joined is what a machine gets for its token.
type Joined struct{ AccessKeyID, SecretAccessKey, Cluster, Region string }

// ErrUnavailable says that a replica could not trade a token just now. Another one may, or the same one later.
var ErrUnavailable = errors.New("the control plane did not answer")

// Trade gets a container instance's key for a token, at endpoint "http://host:port".
func Trade(ctx context.Context, endpoint, token string) (j Joined, err error) {
	body, err := json.Marshal(map[string]string{"Token": token})
	if err != nil {
		return Joined{}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint+JoinPath, bytes.NewReader(body))
	if err != nil {
		return Joined{}, fmt.Errorf("control plane's address: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return Joined{}, fmt.Errorf("join: %w: %w", ErrUnavailable, err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10)) // what is cut off does not decode
	if resp.StatusCode >= http.StatusInternalServerError {
		return Joined{}, fmt.Errorf("join: %w: %s", ErrUnavailable, bytes.TrimSpace(b))
	}
	if resp.StatusCode != http.StatusOK {
		return Joined{}, fmt.Errorf("join: %s", bytes.TrimSpace(b))
	}
	if err := json.Unmarshal(b, &j); err != nil {
		return Joined{}, fmt.Errorf("join: %w", err)
	}
	return j, nil
}

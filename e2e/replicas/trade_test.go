package replicas

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// trade gets a container instance's key for a token.
func trade(ctx context.Context, listen, token string) (id, secret string, err error) {
	body, err := json.Marshal(map[string]string{"Token": token})
	if err != nil {
		return "", "", err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+listen+"/berth/v1/join", bytes.NewReader(body))
	if err != nil {
		return "", "", err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", "", err
	}
	defer resp.Body.Close()
	var key struct{ AccessKeyID, SecretAccessKey string }
	if err := json.NewDecoder(resp.Body).Decode(&key); err != nil || resp.StatusCode != http.StatusOK {
		return "", "", fmt.Errorf("join: %s, %w", resp.Status, err)
	}
	return key.AccessKeyID, key.SecretAccessKey, nil
}

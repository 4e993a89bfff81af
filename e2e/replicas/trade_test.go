package replicas

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	berthapi "berth/internal/api/berth"
)

// call makes one of Berth's own calls.
func (s *site) call(ctx context.Context, r *replica, operation string, out any) error {
	const body = "{}"
	sum := sha256.Sum256([]byte(body))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+r.listen+"/", strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", berthapi.Target+"."+operation)
	key := aws.Credentials{AccessKeyID: s.keyID, SecretAccessKey: s.secret}
	if err := v4.NewSigner().SignHTTP(ctx, key, req, hex.EncodeToString(sum[:]), "berth", "us-east-1", time.Now()); err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", operation, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(out)
}

// joinInstance trades a new token for an instance's key.
func (s *site) joinInstance(through *replica) func(context.Context) (string, string, error) {
	return func(ctx context.Context) (string, string, error) {
		var out struct{ Token string }
		if err := s.call(ctx, through, "CreateJoinToken", &out); err != nil {
			return "", "", err
		}
		key, err := berthapi.Trade(ctx, "http://"+through.listen, out.Token)
		return key.AccessKeyID, key.SecretAccessKey, err
	}
}

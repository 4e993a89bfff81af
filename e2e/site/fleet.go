package site

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
	"berth/internal/simulate"
)

// StartFleet joins simulated container instances through one replica, which they keep to, and waits until each has a session. Of c only what
// instances are like is to be said.
func (r *Replica) StartFleet(size int, c simulate.Config) *simulate.Fleet {
	t := r.site.T
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c.Endpoint, c.Region, c.Cluster, c.Instances, c.Join = "http://"+r.Listen, "us-east-1", "default", size, r.joinInstance
	f := simulate.New(c)
	if err := f.Register(ctx); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("fleet: %v", err)
		}
	})
	r.site.WaitSessions(f, 0)
	return f
}

// WaitSessions waits until every instance of the fleet has begun a session since it had begun so many.
func (s *Site) WaitSessions(f *simulate.Fleet, before int64) {
	s.T.Helper()
	Eventually(s.T, "the instances have sessions", func() error {
		if n := f.Manifests.Load() - before; n < int64(f.Instances) {
			return fmt.Errorf("%d of %d", n, f.Instances)
		}
		return nil
	})
}

// joinInstance trades a new token for an instance's key.
func (r *Replica) joinInstance(ctx context.Context) (id, secret string, err error) {
	var out struct{ Token string }
	if err := r.call(ctx, "CreateJoinToken", &out); err != nil {
		return "", "", err
	}
	key, err := berthapi.Trade(ctx, "http://"+r.Listen, out.Token)
	return key.AccessKeyID, key.SecretAccessKey, err
}

// call makes one of Berth's own calls.
func (r *Replica) call(ctx context.Context, operation string, out any) error {
	const body = "{}"
	sum := sha256.Sum256([]byte(body))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+r.Listen+"/", strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", berthapi.Target+"."+operation)
	key := aws.Credentials{AccessKeyID: r.site.keyID, SecretAccessKey: r.site.secret}
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

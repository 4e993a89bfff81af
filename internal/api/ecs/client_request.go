package ecs

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"time"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// requestLife is how long a repeated clientToken gets the first request's answer.
const requestLife = 24 * time.Hour

// mostToken is the length of the longest clientToken.
const mostToken = 64

// oneRequest makes a request with a clientToken happen once. The zero value is a request without one.
type oneRequest struct {
	id    string
	input string // hash of the request
}

// printable reports whether a token is no longer than most and consists of ASCII characters that one sees.
func printable(token string, most int) bool {
	return len(token) <= most && !slices.ContainsFunc([]byte(token), func(c byte) bool { return c < 33 || c > 126 })
}

// once reads a request's clientToken.
func (l *launcher) once(r *frontdoor.Request, in *awsecs.RunTaskInput) (*oneRequest, error) {
	token := text(in.ClientToken)
	if token == "" {
		return &oneRequest{}, nil
	}
	if !printable(token, mostToken) {
		return nil, apierr.InvalidParameter("clientToken can be at most %d ASCII characters long, none of them a blank.", mostToken)
	}
	c, err := clusterARN(r, in.Cluster)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(l.input.EncodeJSON(in))
	return &oneRequest{id: "RunTask " + string(c) + " " + token, input: hex.EncodeToString(sum[:16])}, nil
}

// before returns the answer of the request of the same clientToken, nil if there is none to be given. A clientToken that came with other
// parameters is a ConflictException.
func (o *oneRequest) before(t *state.Tables, now time.Time) (*awsecs.RunTaskOutput, error) {
	if o.id == "" {
		return nil, nil
	}
	old := t.Requests.Get(o.id)
	if old == nil || now.Sub(old.CreatedAt) >= requestLife {
		return nil, nil
	}
	if old.Input != o.input {
		conflict := apierr.Conflict("The provided clientToken is already in use with a different RunTask request. "+
			"The resourceIds are the existing task ARNs already associated with the clientToken: %v", old.Tasks)
		for _, t := range old.Tasks {
			conflict.ResourceIDs = append(conflict.ResourceIDs, string(t))
		}
		return nil, conflict
	}
	return &awsecs.RunTaskOutput{Tasks: startedTasks(t, known(t, old.Tasks)), Failures: slices.Clip(append([]types.Failure{}, old.Failures...))}, nil
}

// known are the tasks that are still there.
func known(t *state.Tables, tasks []arn.Task) (out []*ecs.Task) {
	for _, a := range tasks {
		if task := t.Tasks.Get(a); task != nil {
			out = append(out, task)
		}
	}
	return out
}

// remember keeps what the request led to. A request that placed nothing may be tried again.
func (o *oneRequest) remember(tx *state.Tx, tasks []*ecs.Task, failures []types.Failure, now time.Time) {
	if o.id != "" && len(tasks) > 0 {
		tx.Put(&ecs.ClientRequest{ID: o.id, Input: o.input, Tasks: taskARNs(tasks), Failures: failures, CreatedAt: now})
	}
}

// newSeed is what placement's random strategy starts from.
func newSeed() uint64 {
	var b [8]byte
	rand.Read(b[:]) //nolint:errcheck // it never fails
	return binary.LittleEndian.Uint64(b[:])
}

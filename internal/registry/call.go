package registry

import (
	"strings"

	"github.com/opencontainers/go-digest"

	"berth/internal/arn"
)

// Call is what a client asks as the operation of ECR's API that it stands for, and what became of it.
type Call struct {
	Operation string        // "PutImage"
	Scope     arn.Scope     // of the repository
	Name      string        // of the repository
	Tag       string        // of the image; "" where its digest names it, and of a layer
	Digest    digest.Digest // of the image or layer; "" where a tag is asked for
	Upload    string        // the upload's id, "" where there is none

	// Err is why it was not done, nil where it was. Status, Code and Message are how the client was told.
	Err           error
	Status        int
	Code, Message string
}

// call is an action on what the path names.
func (t target) call(action string) Call {
	c := Call{Operation: strings.TrimPrefix(action, "ecr:"), Scope: t.scope, Name: t.name}
	switch {
	case t.kind == uploadOf:
		c.Upload = t.reference
	case strings.Contains(t.reference, ":"):
		c.Digest = digest.Digest(t.reference)
	case t.kind == manifestOf:
		c.Tag = t.reference
	}
	return c
}

// may asks whether the caller may do an action on the repository. What becomes of it, tell says.
func (q *request) may(action string) error {
	q.call = q.target.call(action)
	var err error
	if q.told, err = q.caller.May(action, q.arn()); err != nil {
		return denied(err)
	}
	return nil
}

// tell says what became of what the caller was last asked about, once; err is why it was not done.
func (q *request) tell(err error) {
	if q.told == nil {
		return
	}
	if err != nil {
		f := q.failed(err)
		q.call.Err, q.call.Status, q.call.Code, q.call.Message = err, f.status, f.code, f.message
	}
	q.told(&q.call)
	q.told = nil
}

package logs

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/logs"
	"berth/internal/state"
)

// createLogGroup makes a log group, which keeps its events for ever until it is told otherwise.
func (a *API) createLogGroup(ctx context.Context, r *frontdoor.Request, in *cwl.CreateLogGroupInput) (*cwl.CreateLogGroupOutput, error) {
	if err := validateNewGroup(in); err != nil {
		return nil, err
	}
	if len(in.Tags) > 0 {
		q := frontdoor.Question{Action: "logs:TagResource", Resource: logs.GroupARN(r.Scope, *in.LogGroupName)}
		if e := r.Authorize(q); e != nil {
			return nil, e
		}
	}
	id, err := newID()
	if err != nil {
		return nil, err
	}
	g := &logs.Group{
		Arn: logs.GroupARN(r.Scope, *in.LogGroupName), Name: *in.LogGroupName, ID: id, CreationTime: now(), Class: string(in.LogGroupClass),
		Tags: withTags(nil, in.Tags), DeletionProtection: aws.ToBool(in.DeletionProtectionEnabled),
	}
	err = a.store.Update(ctx, func(tx *state.Tx) error {
		switch {
		case tx.LogGroups.Get(g.Arn) != nil:
			return groupExists()
		case tx.LogGroups.Len() >= a.config.MostGroups:
			return limitExceeded()
		}
		tx.Put(g)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &cwl.CreateLogGroupOutput{}, nil
}

func validateNewGroup(in *cwl.CreateLogGroupInput) error {
	var c constraint.Check
	checkGroup(&c, in.LogGroupName)
	c.Text("kmsKeyId", in.KmsKeyId, 0, 256)
	constraint.Enum(&c, "logGroupClass", in.LogGroupClass, in.LogGroupClass.Values())
	checkTags(&c, in.Tags)
	if err := broken(&c); err != nil {
		return err
	}
	switch {
	case strings.HasPrefix(strings.ToLower(*in.LogGroupName), "aws/"):
		return invalid("Log groups starting with AWS/ are reserved for AWS.")
	case value(in.KmsKeyId) != "":
		return notActedOn("kmsKeyId")
	case in.LogGroupClass != "" && in.LogGroupClass != types.LogGroupClassStandard && in.LogGroupClass != types.LogGroupClassInfrequentAccess:
		return notActedOn("logGroupClass " + string(in.LogGroupClass))
	}
	return validateTags(in.Tags)
}

// newID is the id of a group: 16 hexadecimal digits.
func newID() (string, error) {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("make the id of a log group: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

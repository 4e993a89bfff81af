package ecs

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
)

// submitAttachmentStateChanges is an agent's report on attachments of its instance. Berth attaches nothing yet, so every attachment is one
// that it does not know: acknowledged like a report on an unknown task, as the agent says it again for ever otherwise.
func (a *API) submitAttachmentStateChanges(_ context.Context, r *frontdoor.Request, in *awsecs.SubmitAttachmentStateChangesInput) (*awsecs.SubmitAttachmentStateChangesOutput, error) {
	if _, err := clusterARN(r, in.Cluster); err != nil {
		return nil, err
	}
	if len(in.Attachments) == 0 {
		return nil, apierr.InvalidParameter("Attachments can not be empty.")
	}
	for _, c := range in.Attachments {
		if text(c.AttachmentArn) == "" || text(c.Status) == "" {
			return nil, apierr.InvalidParameter("attachmentArn and status can not be blank.")
		}
	}
	return &awsecs.SubmitAttachmentStateChangesOutput{Acknowledgment: aws.String(acknowledged)}, nil
}

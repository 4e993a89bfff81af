package awssecrets

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"berth/internal/acsproto"
	"berth/internal/agent"
)

// mostNames is how many parameters a call reads.
const mostNames = 10

// readParameters reads the parameters of one region: those of list at places, into values.
func (r *Reader) readParameters(ctx context.Context, task, region string, list []acsproto.Secret, places []int, values []string) error {
	fault := agent.SecretFault{Provider: acsproto.ProviderParameterStore, Region: region}
	for some := range slices.Chunk(places, mostNames) {
		names := make([]string, len(some))
		for i, n := range some {
			names[i] = list[n].ValueFrom
		}
		out, err := r.parameters.GetParameters(ctx, &ssm.GetParametersInput{Names: names, WithDecryption: aws.Bool(true)}, func(o *ssm.Options) {
			o.Region, o.BaseEndpoint, o.Credentials = region, aws.String(r.config.Endpoint()), r.credentials(task)
		})
		if err != nil {
			return failed(fault, err)
		}
		missing := []string{}
		for i, n := range some {
			at := slices.IndexFunc(out.Parameters, func(p types.Parameter) bool { return answers(p, names[i]) })
			if at < 0 {
				missing = append(missing, names[i])
				continue
			}
			values[n] = aws.ToString(out.Parameters[at].Value)
		}
		if len(missing) > 0 {
			fault.Reason = "invalid parameters: " + strings.Join(missing, ", ")
			return &fault
		}
	}
	return nil
}

// answers says whether a parameter is the one that a name or an ARN asks for, with its version or label where it has one.
func answers(p types.Parameter, asked string) bool {
	selector := aws.ToString(p.Selector)
	return asked == aws.ToString(p.Name)+selector || asked == aws.ToString(p.ARN)+selector
}

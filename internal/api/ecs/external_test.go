package ecs

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
	"berth/internal/golden"
)

// abroad are an external instance "m1", a key for another one, and a definition "out" that may run there.
func abroad() []ecs.Record {
	i := padInstance("m1", "", ecs.Active)
	i.Ec2InstanceID, i.Attributes = "mi-1", []types.Attribute{{Name: aws.String(ecs.AttributeExternal)}}
	d := padDefinition("out", types.TaskDefinition{}, types.ContainerDefinition{Name: aws.String("out"), Image: aws.String("out:1"), Memory: aws.Int32(10)})
	d.Definition.Compatibilities = append(d.Definition.Compatibilities, types.CompatibilityExternal)
	key := padCredential("none")
	key.Instance = ""
	return []ecs.Record{i, d, key}
}

func TestExternalStories(t *testing.T) {
	golden.Run(t, "testdata/external/*.txtar", func(t *testing.T, in map[string]string) (out string) {
		synctest.Test(t, func(t *testing.T) {
			s := &shopper{launchPad: newLaunchPad(t, abroad()...)}
			for line := range strings.Lines(in["requests"]) {
				out += "> " + line + s.tell(t, strings.TrimSpace(line))
			}
		})
		return out
	})
}

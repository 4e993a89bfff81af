package awswire

import (
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// TestHidden: a hidden member is named where it is there, of whatever type it is, and nothing of its value is written.
func TestHidden(t *testing.T) {
	p := NewHidingCompiler(LowerCamel, func(_ reflect.Type, f reflect.StructField) bool { return f.Name == "Environment" || f.Name == "Name" }).
		Plan(reflect.TypeFor[types.ContainerOverride]())
	for want, v := range map[string]types.ContainerOverride{
		`{"environment":"HIDDEN_DUE_TO_SECURITY_REASONS","name":"HIDDEN_DUE_TO_SECURITY_REASONS"}`: {Name: aws.String("s"), Environment: []types.KeyValuePair{{Value: aws.String("s")}}},
		`{"cpu":5}`: {Cpu: aws.Int32(5)},
	} {
		if got := string(p.EncodeJSON(&v)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

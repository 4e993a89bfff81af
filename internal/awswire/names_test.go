package awswire

import (
	"reflect"
	"testing"
)

// Each spelling, of a shape and of the tags in it.
func TestNames(t *testing.T) {
	type Tag struct{ Key, Value *string }
	type input struct {
		ResourceArn *string
		Tags        []Tag
	}
	for names, want := range map[Names]string{
		LowerCamel:       `{"resourceArn":"a","tags":[{"key":"k","value":"v"}]}`,
		GoNames:          `{"ResourceArn":"a","Tags":[{"Key":"k","Value":"v"}]}`,
		LowerCamelGoTags: `{"resourceArn":"a","tags":[{"Key":"k","Value":"v"}]}`,
	} {
		plan := NewCompiler(names).Plan(reflect.TypeFor[input]())
		a, k, v := "a", "k", "v"
		in := input{ResourceArn: &a, Tags: []Tag{{&k, &v}}}
		if got := string(plan.EncodeJSON(&in)); got != want {
			t.Errorf("%s instead of %s", got, want)
		}
		var read input
		if _, err := plan.DecodeJSON([]byte(want), &read); err != nil || !reflect.DeepEqual(read, in) {
			t.Errorf("%s is read as %+v: %v", want, read, err)
		}
	}
}

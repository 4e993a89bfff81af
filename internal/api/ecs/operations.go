package ecs

import (
	"context"
	"reflect"
	"slices"
	"strings"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
)

// Operations are the names of all operations of the SDK's ECS client, sorted: the methods that take a context, a pointer to their
// operation's Input and options, and return a pointer to its Output and an error.
func Operations() []string {
	client := reflect.TypeFor[*awsecs.Client]()
	var names []string
	for m := range client.Methods() {
		if isOperation(m) {
			names = append(names, m.Name)
		}
	}
	slices.Sort(names)
	return names
}

// isOperation tells a client's operations from its other methods (Options, and whatever a later SDK adds).
func isOperation(m reflect.Method) bool {
	f := m.Type // the receiver is In(0)
	if f.NumIn() != 4 || f.NumOut() != 2 || !f.IsVariadic() {
		return false
	}
	return f.In(1) == reflect.TypeFor[context.Context]() &&
		f.In(2).Kind() == reflect.Pointer && f.In(2).Elem().Name() == m.Name+"Input" &&
		f.In(3) == reflect.TypeFor[[]func(*awsecs.Options)]() &&
		f.Out(0).Kind() == reflect.Pointer && strings.TrimSuffix(f.Out(0).Elem().Name(), "Output") == m.Name &&
		f.Out(1) == reflect.TypeFor[error]()
}

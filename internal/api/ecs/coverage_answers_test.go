package ecs

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// answered are the structures of answers that docs/coverage.md speaks of.
func answered() []reflect.Type {
	return []reflect.Type{
		reflect.TypeFor[types.Cluster](), reflect.TypeFor[types.Service](), reflect.TypeFor[types.Deployment](), reflect.TypeFor[types.DeploymentConfiguration](),
		reflect.TypeFor[types.TaskSet](), reflect.TypeFor[types.Task](), reflect.TypeFor[types.Container](), reflect.TypeFor[types.ContainerInstance](),
		reflect.TypeFor[types.ServiceDeployment](), reflect.TypeFor[types.ServiceDeploymentBrief](), reflect.TypeFor[types.ServiceRevision](),
		reflect.TypeFor[types.ServiceRevisionSummary](), reflect.TypeFor[types.TaskDefinition](), reflect.TypeFor[types.ServiceEvent](),
		reflect.TypeFor[types.ServiceCurrentRevisionSummary](), reflect.TypeFor[types.Setting](), reflect.TypeFor[types.ProtectedTask](),
	}
}

// goldenAnswers are the answers of all stories, and what tests show besides them.
func goldenAnswers(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	answers := `"gpuIds": "enableFaultInjection":` // in TestGPUsOfTasks and TestFilledIn
	for _, file := range files {
		story, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, told, _ := strings.Cut(string(story), "-- want --")
		for line := range strings.Lines(told) {
			if !strings.HasPrefix(line, ">") {
				answers += line
			}
		}
	}
	return answers
}

// namesakes are members that no answer shows, while it shows another structure's member of the same name.
func namesakes() []string {
	return []string{
		"ContainerInstance.capacityProviderName", "Deployment.fargateEphemeralStorage", "TaskSet.fargateEphemeralStorage", "ServiceRevision.fargateEphemeralStorage",
	}
}

// A member of an answer is in the answers of the stories, or on the page.
func TestCoverageOfAnswers(t *testing.T) {
	page, err := os.ReadFile("../../../docs/coverage.md")
	if err != nil {
		t.Fatal(err)
	}
	answers := goldenAnswers(t)
	for _, shape := range answered() {
		listed := ""
		if m := regexp.MustCompile(`(?m)^\| ` + shape.Name() + ` \| (.*) \|$`).FindSubmatch(page); m != nil {
			listed = string(m[1])
		}
		names := 0
		for f := range shape.Fields() {
			if !f.IsExported() {
				continue
			}
			name := wireName(f.Name)
			shown, left := strings.Contains(answers, `"`+name+`":`), strings.Contains(listed, "`"+name+"`")
			if slices.Contains(namesakes(), shape.Name()+"."+name) {
				shown = false
			}
			if shown == left {
				t.Errorf("%s.%s: shown %v, on the page as not shown %v", shape.Name(), name, shown, left)
			}
			if left {
				names++
			}
		}
		if n := strings.Count(listed, "`") / 2; n != names {
			t.Errorf("%s: the page lists %d members, and %d of them exist", shape.Name(), n, names)
		}
	}
}

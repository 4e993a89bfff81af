package ecs

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
)

// audited is an operation as the audit asks it: what is right, and what may not be missing from it.
type audited struct {
	body     string // a right request, in the shop
	required string // members that a request must have
	refused  bool   // the request is right, and yet there is nothing to be done: an update that is not there, a namespace
	agents   bool   // a report of an agent, which is not refused for what it says
}

// right has a row for every operation that is served. Whoever serves another one adds it.
func right() map[string]audited {
	const ecs = "arn:aws:ecs:us-east-1:123456789012:"
	const tags = `"resourceArn":"` + ecs + `cluster/demo"`
	return map[string]audited{
		"CreateCluster":         {body: `{"clusterName":"new"}`},
		"DescribeClusters":      {body: `{"clusters":["demo"]}`},
		"ListClusters":          {body: `{}`},
		"UpdateCluster":         {body: `{"cluster":"demo"}`, required: "cluster"},
		"UpdateClusterSettings": {body: `{"cluster":"demo","settings":[{"name":"containerInsights","value":"enabled"}]}`, required: "cluster settings"},
		"PutClusterCapacityProviders": {body: `{"cluster":"demo","capacityProviders":[],"defaultCapacityProviderStrategy":[]}`,
			required: "cluster capacityProviders defaultCapacityProviderStrategy"},
		"DeleteCluster":             {body: `{"cluster":"empty"}`, required: "cluster"},
		"DescribeCapacityProviders": {body: `{}`},

		"PutAccountSetting":        {body: `{"name":"awsvpcTrunking","value":"enabled"}`, required: "name value"},
		"PutAccountSettingDefault": {body: `{"name":"awsvpcTrunking","value":"enabled"}`, required: "name value"},
		"DeleteAccountSetting":     {body: `{"name":"awsvpcTrunking"}`, required: "name"},
		"ListAccountSettings":      {body: `{"effectiveSettings":true}`},

		"RegisterTaskDefinition":     {body: newRevision("f"), required: "family containerDefinitions"},
		"DescribeTaskDefinition":     {body: `{"taskDefinition":"web"}`, required: "taskDefinition"},
		"ListTaskDefinitions":        {body: `{}`},
		"ListTaskDefinitionFamilies": {body: `{}`},
		"DeregisterTaskDefinition":   {body: `{"taskDefinition":"web:1"}`, required: "taskDefinition"},
		"DeleteTaskDefinitions":      {body: `{"taskDefinitions":["old:1"]}`, required: "taskDefinitions"},

		"TagResource":         {body: `{` + tags + `,"tags":[{"key":"k"}]}`, required: "resourceArn tags"},
		"UntagResource":       {body: `{` + tags + `,"tagKeys":["k"]}`, required: "resourceArn tagKeys"},
		"ListTagsForResource": {body: `{` + tags + `}`, required: "resourceArn"},

		"CreateService": {body: `{"cluster":"demo","serviceName":"new","taskDefinition":"port","desiredCount":0}`,
			required: "serviceName taskDefinition desiredCount"},
		"UpdateService":           {body: `{"cluster":"demo","service":"web","desiredCount":1}`, required: "service"},
		"DeleteService":           {body: `{"cluster":"demo","service":"quiet"}`, required: "service"},
		"DescribeServices":        {body: `{"cluster":"demo","services":["web"]}`, required: "services"},
		"ListServices":            {body: `{"cluster":"demo"}`},
		"ListServicesByNamespace": {body: `{"namespace":"n"}`, required: "namespace", refused: true},

		"CreateTaskSet":    {body: `{"cluster":"demo","service":"sets","taskDefinition":"port"}`, required: "cluster service taskDefinition"},
		"DescribeTaskSets": {body: `{"cluster":"demo","service":"sets","taskSets":["` + deploymentNumber(21) + `"]}`, required: "cluster service"},
		"UpdateTaskSet": {body: `{"cluster":"demo","service":"sets","taskSet":"` + deploymentNumber(21) + `","scale":{"value":10,"unit":"PERCENT"}}`,
			required: "cluster service taskSet scale"},
		"DeleteTaskSet": {body: `{"cluster":"demo","service":"sets","taskSet":"` + deploymentNumber(22) + `"}`, required: "cluster service taskSet"},
		"UpdateServicePrimaryTaskSet": {body: `{"cluster":"demo","service":"sets","primaryTaskSet":"` + deploymentNumber(22) + `"}`,
			required: "cluster service primaryTaskSet"},

		"ListServiceDeployments": {body: `{"cluster":"demo","service":"web"}`, required: "service"},
		"DescribeServiceDeployments": {body: `{"serviceDeploymentArns":["` + ecs + `service-deployment/demo/web/0123456789abcdefghijk"]}`,
			required: "serviceDeploymentArns"},
		"DescribeServiceRevisions": {body: `{"serviceRevisionArns":["` + ecs + `service-revision/demo/web/0000000000000000003"]}`, required: "serviceRevisionArns"},
		"StopServiceDeployment": {body: `{"serviceDeploymentArn":"` + ecs + `service-deployment/demo/web/0123456789abcdefghijk"}`,
			required: "serviceDeploymentArn", refused: true},

		"StopTask": {body: `{"cluster":"demo","task":"mine"}`, required: "task"},
		"ExecuteCommand": {body: `{"cluster":"demo","task":"mine","container":"web","command":"sh","interactive":true}`,
			required: "task command interactive", refused: true},
		"DescribeTasks":        {body: `{"cluster":"demo","tasks":["mine"]}`, required: "tasks"},
		"ListTasks":            {body: `{"cluster":"demo"}`},
		"UpdateTaskProtection": {body: `{"cluster":"demo","tasks":["old1"],"protectionEnabled":true}`, required: "cluster tasks protectionEnabled"},
		"GetTaskProtection":    {body: `{"cluster":"demo","tasks":["old1"]}`, required: "cluster tasks"},
		"RunTask":              {body: `{"cluster":"demo","taskDefinition":"web"}`, required: "taskDefinition"},
		"StartTask": {body: `{"cluster":"demo","taskDefinition":"web","containerInstances":["i2"]}`,
			required: "taskDefinition containerInstances"},

		"RegisterContainerInstance":     {body: `{"cluster":"demo",` + size + `}`, required: "totalResources"},
		"DeregisterContainerInstance":   {body: `{"cluster":"demo","containerInstance":"i3"}`, required: "containerInstance"},
		"DescribeContainerInstances":    {body: `{"cluster":"demo","containerInstances":["i1"]}`, required: "containerInstances"},
		"ListContainerInstances":        {body: `{"cluster":"demo"}`},
		"UpdateContainerInstancesState": {body: `{"cluster":"demo","containerInstances":["i1"],"status":"DRAINING"}`, required: "containerInstances status"},
		"UpdateContainerAgent":          {body: `{"cluster":"demo","containerInstance":"i1"}`, required: "containerInstance", refused: true},
		"PutAttributes":                 {body: `{"cluster":"demo","attributes":[{"name":"a","targetId":"i1","targetType":"container-instance"}]}`, required: "attributes"},
		"DeleteAttributes":              {body: `{"cluster":"demo","attributes":[{"name":"a","targetId":"i1","targetType":"container-instance"}]}`, required: "attributes"},
		"ListAttributes":                {body: `{"cluster":"demo","targetType":"container-instance"}`, required: "targetType"},

		"DiscoverPollEndpoint":         {body: `{"cluster":"demo","containerInstance":"i1"}`, agents: true},
		"SubmitTaskStateChange":        {body: `{"cluster":"demo","task":"mine","status":"RUNNING"}`, agents: true},
		"SubmitContainerStateChange":   {body: `{"cluster":"demo","task":"mine","containerName":"web","status":"RUNNING"}`, agents: true},
		"SubmitAttachmentStateChanges": {body: `{"cluster":"demo","attachments":[]}`, agents: true},
	}
}

// audit calls check with every operation and its row.
func audit(t *testing.T, check func(t *testing.T, o frontdoor.Operation, a audited)) {
	t.Helper()
	rows := right()
	for _, o := range New(Config{}).Service().Operations {
		a, ok := rows[o.Name]
		if !ok {
			t.Errorf("%s: the audit has no row for it", o.Name)
			continue
		}
		t.Run(o.Name, func(t *testing.T) { check(t, o, a) })
	}
}

// with is the body with a member set, or without it where value is "".
func with(t *testing.T, body, member, value string) string {
	t.Helper()
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal([]byte(body), &members); err != nil {
		t.Fatal(err)
	}
	delete(members, member)
	if value != "" {
		members[member] = json.RawMessage(value)
	}
	out, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// refusal asks p a request that must be refused and change nothing.
func (p *launchPad) refusal(t *testing.T, operation, body string) *apierr.Error {
	t.Helper()
	before := p.store.View().N
	out, err := p.ask(t, "ADMIN", operation, body)
	if err == nil {
		t.Fatalf("%s: accepted: %s", body, out)
	}
	if n := p.store.View().N; n != before {
		t.Errorf("%s: %s, and yet the store has changed", body, err.Message)
	}
	return err
}

// answers checks a refusal's words.
func (p *launchPad) answers(t *testing.T, operation, body, code, message string) {
	t.Helper()
	if err := p.refusal(t, operation, body); err.Code != code || err.Message != message {
		t.Errorf("%s\ngot  %s: %s\nwant %s: %s", body, err.Code, err.Message, code, message)
	}
}

// The rows are right: what the audit takes for a right request is answered.
func TestAuditOfRightRequests(t *testing.T) {
	audit(t, func(t *testing.T, o frontdoor.Operation, a audited) {
		p := newLaunchPad(t, shop()...)
		if _, err := p.ask(t, "ADMIN", o.Name, a.body); err != nil && !a.refused && !a.agents {
			t.Errorf("%v", err)
		}
	})
}

// A member of another type than its own is a SerializationException, for every member of every operation.
func TestAuditOfTypes(t *testing.T) {
	p := newLaunchPad(t)
	audit(t, func(t *testing.T, o frontdoor.Operation, _ audited) {
		for f := range o.Input.Fields() {
			if !f.IsExported() {
				continue
			}
			wrong := `"text"`
			if kind(f.Type) == reflect.String {
				wrong = `[7]`
			}
			body := `{"` + wireName(f.Name) + `":` + wrong + `}`
			if _, err := p.plans[o.Input].DecodeJSON([]byte(body), reflect.New(o.Input).Interface()); err == nil {
				t.Errorf("%s is taken", body)
			}
		}
	})
}

func kind(t reflect.Type) reflect.Kind {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind()
}

// A request without a member that it needs is refused in words that name the member, and so is one in which it is empty.
func TestAuditOfMissingMembers(t *testing.T) {
	p := newLaunchPad(t, shop()...)
	audit(t, func(t *testing.T, o frontdoor.Operation, a audited) {
		for member := range strings.FieldsSeq(a.required) {
			err := p.refusal(t, o.Name, with(t, a.body, member, ""))
			if err.Code != parameter && err.Code != client || !names(err.Message, member) {
				t.Errorf("without %s: %s: %s", member, err.Code, err.Message)
			}
			f, _ := o.Input.FieldByNameFunc(func(name string) bool { return wireName(name) == member })
			empty := map[reflect.Kind]string{reflect.String: `""`, reflect.Slice: `[]`}[kind(f.Type)]
			if empty == "" || strings.Contains(strings.ToLower(member), "capacityprovider") { // an empty list of those takes them away
				continue
			}
			if err := p.refusal(t, o.Name, with(t, a.body, member, empty)); err.Code != parameter && err.Code != client || !names(err.Message, member) {
				t.Errorf("with %s empty: %s: %s", member, err.Code, err.Message)
			}
		}
	})
}

// names reports whether a text says a member's name, or what is in it: "Container Instances cannot be empty."
func names(text, member string) bool {
	squeezed := strings.ToLower(strings.ReplaceAll(text, " ", ""))
	return strings.Contains(squeezed, strings.ToLower(member)) ||
		member == "totalResources" && strings.Contains(text, "CPU and MEMORY") || member == "containerDefinitions" && strings.Contains(text, "Container list")
}

// A word that is none of a member's is refused, and so is a page of an impossible size or of another list.
func TestAuditOfValues(t *testing.T) {
	p := newLaunchPad(t, shop()...)
	audit(t, func(t *testing.T, o frontdoor.Operation, a audited) {
		for f := range o.Input.Fields() {
			member := wireName(f.Name)
			element := f.Type
			value := `"X"`
			if f.Type.Kind() == reflect.Slice {
				element, value = f.Type.Elem(), `["X"]`
			}
			if _, closed := element.MethodByName("Values"); closed && !a.agents {
				if err := p.refusal(t, o.Name, with(t, a.body, member, value)); err.Code != parameter && err.Code != client {
					t.Errorf("%s X: %v", member, err)
				}
			}
			switch member {
			case "maxResults":
				for _, n := range []string{"-1", "0", "100000"} {
					if err := p.refusal(t, o.Name, with(t, a.body, member, n)); err.Code != parameter || !strings.HasPrefix(err.Message, "maxResults must be between 1 and ") {
						t.Errorf("maxResults %s: %v", n, err)
					}
				}
			case "nextToken":
				p.answers(t, o.Name, with(t, a.body, member, `"?"`), parameter,
					"Invalid token: nextToken is not one that "+o.Name+" answered to these parameters.")
			}
		}
	})
}

// clusterFaults are what may be wrong with a cluster, and what is said of it.
func clusterFaults() map[string][2]string {
	const notFound = "ClusterNotFoundException"
	return map[string][2]string{
		"nobody": {notFound, "Cluster not found."},
		"gone":   {notFound, "The referenced cluster was inactive."},
		"a b":    {parameter, `Cluster must match ^[a-zA-Z0-9\-_]{1,255}$, but was a b`},
		"arn:aws:ecs:us-east-1:123456789012:cluster/nobody":    {notFound, "Cluster not found."},
		"arn:aws:ecs:us-east-1:210987654321:cluster/demo":      {parameter, "Invalid identifier: Identifier is for 210987654321. Your accountId is 123456789012"},
		"arn:aws:ecs:eu-west-1:123456789012:cluster/demo":      {parameter, "Invalid Region in ARN"},
		"arn:aws:ecs:us-east-1:123456789012:cluster/demo/more": {parameter, "Invalid identifier: Unexpected number of separators"},
		"arn:aws:ecs:us-east-1:123456789012:service/demo/web":  {parameter, "Invalid identifier: Identifier is for a service. The request needs a cluster"},
		"arn:aws:iam::123456789012:role/demo":                  {parameter, "Invalid identifier: arn:aws:iam::123456789012:role/demo is not the ARN of a resource of ECS."},
	}
}

func TestAuditOfClusters(t *testing.T) {
	p := newLaunchPad(t, shop()...)
	audit(t, func(t *testing.T, o frontdoor.Operation, a audited) {
		if _, has := o.Input.FieldByName("Cluster"); !has || a.agents {
			return
		}
		for name, want := range clusterFaults() {
			p.answers(t, o.Name, with(t, a.body, "cluster", `"`+name+`"`), want[0], want[1])
		}
	})
}

// identifiers are the members that name something else in a cluster, by the kind that they name.
func identifiers() map[string]string {
	return map[string]string{
		"service": "service", "services": "service", "task": "task", "tasks": "task",
		"containerInstance": "container-instance", "containerInstances": "container-instance",
	}
}

func TestAuditOfIdentifiers(t *testing.T) {
	p := newLaunchPad(t, shop()...)
	audit(t, func(t *testing.T, o frontdoor.Operation, a audited) {
		for _, member := range slices.Sorted(maps.Keys(identifiers())) {
			kind := identifiers()[member]
			f, has := o.Input.FieldByNameFunc(func(name string) bool { return wireName(name) == member })
			if !has || a.agents {
				continue
			}
			other, what := "task", words(kind)
			if kind == other {
				other = "service"
			}
			for name, message := range map[string]string{
				"us-east-1:210987654321:" + kind + "/demo/x":      "Invalid identifier: Identifier is for 210987654321. Your accountId is 123456789012",
				"eu-west-1:123456789012:" + kind + "/demo/x":      "Invalid Region in ARN",
				"us-east-1:123456789012:" + kind + "/empty/x":     "Invalid identifier: Identifier is for cluster empty. Your cluster is demo",
				"us-east-1:123456789012:" + kind + "/demo/x/more": "Invalid identifier: Unexpected number of separators",
				"us-east-1:123456789012:" + other + "/demo/x":     "Invalid identifier: Identifier is for a " + other + ". The request needs a " + what,
			} {
				value := `"arn:aws:ecs:` + name + `"`
				if f.Type.Kind() == reflect.Slice {
					value = `[` + value + `]`
				}
				p.answers(t, o.Name, with(t, a.body, member, value), parameter, message)
			}
		}
	})
}

// What is of another account or region is refused, whatever kind it is: here those that are always named by their ARNs, and those inside of
// other members.
func TestAuditOfForeignResources(t *testing.T) {
	p := newLaunchPad(t, shop()...)
	set := "task-set/demo/sets/" + deploymentNumber(21)
	for operation, test := range map[string][2]string{
		"DescribeServiceDeployments":  {`{"serviceDeploymentArns":["%s"]}`, "service-deployment/demo/web/rollout-3-abcdefghijk"},
		"DescribeServiceRevisions":    {`{"serviceRevisionArns":["%s"]}`, "service-revision/demo/web/0000000000000000003"},
		"StopServiceDeployment":       {`{"serviceDeploymentArn":"%s"}`, "service-deployment/demo/web/rollout-3-abcdefghijk"},
		"DescribeTaskSets":            {`{"cluster":"demo","service":"sets","taskSets":["%s"]}`, set},
		"UpdateTaskSet":               {`{"cluster":"demo","service":"sets","taskSet":"%s","scale":{"value":1,"unit":"PERCENT"}}`, set},
		"DeleteTaskSet":               {`{"cluster":"demo","service":"sets","taskSet":"%s"}`, set},
		"UpdateServicePrimaryTaskSet": {`{"cluster":"demo","service":"sets","primaryTaskSet":"%s"}`, set},
		"DescribeClusters":            {`{"clusters":["demo","%s"]}`, "cluster/demo"},
		"ListTasks":                   {`{"cluster":"demo","serviceName":"%s"}`, "service/demo/web"},
		"PutAttributes":               {`{"cluster":"demo","attributes":[{"name":"a","targetId":"%s"}]}`, "container-instance/demo/i1"},
		"DeleteAttributes":            {`{"cluster":"demo","attributes":[{"name":"a","targetId":"%s"}]}`, "container-instance/demo/i1"},
		"RegisterContainerInstance":   {`{"cluster":"demo",` + size + `,"containerInstanceArn":"%s"}`, "container-instance/demo/i1"},
		"StartTask":                   {`{"cluster":"demo","taskDefinition":"port","containerInstances":["i2","%s"]}`, "container-instance/demo/i1"},
		"UpdateTaskProtection":        {`{"cluster":"demo","tasks":["old1","%s"],"protectionEnabled":true}`, "task/demo/old2"},
	} {
		for scope, message := range map[string]string{
			"us-east-1:210987654321:": "Invalid identifier: Identifier is for 210987654321. Your accountId is 123456789012",
			"eu-west-1:123456789012:": "Invalid Region in ARN",
		} {
			p.answers(t, operation, fmt.Sprintf(test[0], "arn:aws:ecs:"+scope+test[1]), parameter, message)
		}
	}
}

// A task definition is named by its family, its revision or its ARN, in every operation alike.
func TestAuditOfDefinitions(t *testing.T) {
	p := newLaunchPad(t, shop()...)
	audit(t, func(t *testing.T, o frontdoor.Operation, a audited) {
		if _, has := o.Input.FieldByName("TaskDefinition"); !has {
			return
		}
		for name, want := range map[string][2]string{
			"arn:aws:ecs:us-east-1:210987654321:task-definition/web:1": {parameter, "Invalid identifier: Identifier is for 210987654321. Your accountId is 123456789012"},
			"arn:aws:ecs:eu-west-1:123456789012:task-definition/web:1": {parameter, "Invalid Region in ARN"},
			"arn:aws:ecs:us-east-1:123456789012:task/demo/x":           {parameter, "Invalid identifier: Identifier is for a task. The request needs a task definition"},
			"web:x": {client, "Invalid revision number. Number: x"},
			"web:0": {client, "Invalid revision number. Number: 0"},
		} {
			p.answers(t, o.Name, with(t, a.body, "taskDefinition", `"`+name+`"`), want[0], want[1])
		}
	})
}

// Tags have the same rules wherever they are given.
func TestAuditOfTags(t *testing.T) {
	p := newLaunchPad(t, shop()...)
	var many []string
	for n := range 51 {
		many = append(many, fmt.Sprintf(`{"key":"k%d"}`, n))
	}
	audit(t, func(t *testing.T, o frontdoor.Operation, a audited) {
		if _, has := o.Input.FieldByName("Tags"); !has {
			return
		}
		for tags, message := range map[string]string{
			`{"value":"v"}`:           "Tag key should not be null or empty.",
			`{"key":"aws:x"}`:         "The tag key 'aws:x' is not allowed: aws: prefixed tag key names are not allowed for external use.",
			`{"key":"k"},{"key":"k"}`: "Duplicate tag keys found: the tag key 'k' is given more than once.",
			`{"key":"<"}`:             "The tag key '<' contains invalid characters.",
			strings.Join(many, ","):   "Too many tags: a resource can have at most 50 tags, and 51 were given.",
		} {
			err := p.refusal(t, o.Name, with(t, a.body, "tags", `[`+tags+`]`))
			if err.Code != parameter && err.Code != client || err.Message != message {
				t.Errorf("got %s: %s, want %s", err.Code, err.Message, message)
			}
		}
	})
}

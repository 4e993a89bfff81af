package ecs

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"berth/internal/frontdoor"
)

// full are right requests that say as much as can be said, of operations whose requests have structures in them.
func full() map[string]string {
	const service = `"desiredCount":0,"deploymentConfiguration":{"maximumPercent":200,"minimumHealthyPercent":50,"deploymentCircuitBreaker":{"enable":true,"rollback":true,
		"thresholdConfiguration":{"type":"COUNT","value":3}}},"placementConstraints":[{"type":"memberOf","expression":"attribute:a exists"}],
		"placementStrategy":[{"type":"spread","field":"ecs.availability-zone"}]`
	const overrides = `"overrides":{"cpu":"256","memory":"300","taskRoleArn":"r","executionRoleArn":"r","containerOverrides":[{"name":"web","command":["a"],
		"environment":[{"name":"a","value":"b"}],"resourceRequirements":[{"type":"GPU","value":"1"}],"cpu":1,"memory":100,"memoryReservation":50}]}`
	return map[string]string{
		"RegisterTaskDefinition": `{"family":"f","cpu":"1024","memory":"1024","taskRoleArn":"r","executionRoleArn":"r","networkMode":"bridge","tags":[{"key":"k","value":"v"}],
			"placementConstraints":[{"type":"memberOf","expression":"attribute:a exists"}],"requiresCompatibilities":["EC2"],
			"runtimePlatform":{"cpuArchitecture":"X86_64","operatingSystemFamily":"LINUX"},"volumes":[{"name":"w","host":{"sourcePath":"/w"}},
			{"name":"v","dockerVolumeConfiguration":{"scope":"shared","autoprovision":true,"driver":"local","driverOpts":{"a":"b"},"labels":{"a":"b"}}}],
			"containerDefinitions":[{"name":"c","image":"app:1","cpu":128,"memory":256,"memoryReservation":64,"links":["a"],"command":["run"],"entryPoint":["/app"],
			"dependsOn":[{"containerName":"a","condition":"START"}],"volumesFrom":[{"sourceContainer":"a","readOnly":true}],"environment":[{"name":"A","value":"1"}],
			"portMappings":[{"containerPort":80,"hostPort":0,"protocol":"tcp","name":"n","appProtocol":"http"}],"startTimeout":10,"stopTimeout":20,"hostname":"h","user":"1:2",
			"workingDirectory":"/w","readonlyRootFilesystem":true,"dnsServers":["1.1.1.1"],"dnsSearchDomains":["d"],"extraHosts":[{"hostname":"x","ipAddress":"1.2.3.4"}],
			"dockerSecurityOptions":["no-new-privileges"],"dockerLabels":{"l":"v"},"ulimits":[{"name":"nofile","softLimit":10,"hardLimit":20}],
			"logConfiguration":{"logDriver":"json-file","options":{"max-size":"10m"}},
			"healthCheck":{"command":["CMD","true"],"interval":30,"timeout":5,"retries":3,"startPeriod":10},"systemControls":[{"namespace":"net.core.somaxconn","value":"512"}],
			"resourceRequirements":[{"type":"GPU","value":"1"}],"restartPolicy":{"enabled":true,"restartAttemptPeriod":60,"ignoredExitCodes":[0]},"versionConsistency":"enabled",
			"mountPoints":[{"sourceVolume":"v","containerPath":"/v","readOnly":true}],"linuxParameters":{"capabilities":{"add":["NET_ADMIN"],"drop":["MKNOD"]},
			"devices":[{"hostPath":"/dev/fuse","containerPath":"/dev/fuse","permissions":["read"]}],"tmpfs":[{"containerPath":"/t","size":16,"mountOptions":["ro"]}],
			"sharedMemorySize":64,"maxSwap":128,"swappiness":10}},
			{"name":"a","image":"b","firelensConfiguration":{"type":"fluentd","options":{"enable-ecs-log-metadata":"true"}}}]}`,
		"CreateService": `{"cluster":"demo","serviceName":"new","taskDefinition":"port","tags":[{"key":"k","value":"v"}],` + service + `}`,
		"UpdateService": `{"cluster":"demo","service":"web",` + service + `}`,
		"RunTask": `{"cluster":"demo","taskDefinition":"web","count":1,"tags":[{"key":"k","value":"v"}],"placementConstraints":[{"type":"memberOf",
			"expression":"attribute:a exists"}],"placementStrategy":[{"type":"spread","field":"host"}],` + overrides + `}`,
		"StartTask":     `{"cluster":"demo","taskDefinition":"web","containerInstances":["i2"],"tags":[{"key":"k","value":"v"}],` + overrides + `}`,
		"CreateTaskSet": `{"cluster":"demo","service":"sets","taskDefinition":"port","scale":{"value":10,"unit":"PERCENT"},"tags":[{"key":"k","value":"v"}]}`,
		"CreateCluster": `{"clusterName":"new","tags":[{"key":"k","value":"v"}],"settings":[{"name":"containerInsights","value":"enabled"}],
			"capacityProviders":["FARGATE"],"defaultCapacityProviderStrategy":[{"capacityProvider":"FARGATE","weight":1,"base":1}],
			"configuration":{"executeCommandConfiguration":{"logging":"OVERRIDE","logConfiguration":{"s3BucketName":"b"}}}}`,
		"RegisterContainerInstance": `{"cluster":"demo","attributes":[{"name":"a","value":"v"}],"platformDevices":[{"id":"g","type":"GPU"}],` + size + `}`,
	}
}

// spot is a member somewhere in a request.
type spot struct {
	steps []step
	typ   reflect.Type // of the member, or of the items of its list
}

type step struct {
	member string
	list   bool
}

func (s spot) String() string {
	var names []string
	for _, p := range s.steps {
		names = append(names, p.member)
	}
	return strings.Join(names, ".")
}

func (s spot) last() step { return s.steps[len(s.steps)-1] }

// spots are the members of a structure, and those of the structures in it.
func spots(t reflect.Type, above []step) (out []spot) {
	for f := range t.Fields() {
		member, s := f.Type, step{member: wireName(f.Name)}
		if member.Kind() == reflect.Pointer {
			member = member.Elem()
		}
		if s.list = member.Kind() == reflect.Slice; s.list {
			member = member.Elem()
		}
		if !f.IsExported() || member.Kind() == reflect.Interface {
			continue // a union, which the decoder has no member for
		}
		here := append(slices.Clone(above), s)
		out = append(out, spot{here, member})
		if member.Kind() == reflect.Struct && member != reflect.TypeFor[time.Time]() {
			out = append(out, spots(member, here)...)
		}
	}
	return out
}

// at is the body with a value at a spot; structures on the way that it does not have are made, and the first item of a list is the one.
func at(t *testing.T, body string, steps []step, value any) string {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(body), &members); err != nil {
		t.Fatal(err)
	}
	put(members, steps, value)
	out, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func put(members map[string]any, steps []step, value any) {
	s := steps[0]
	inner := value
	if len(steps) > 1 {
		old := members[s.member]
		if list, _ := old.([]any); len(list) > 0 {
			old = list[0]
		}
		structure, _ := old.(map[string]any)
		if structure == nil {
			structure = map[string]any{}
		}
		put(structure, steps[1:], value)
		inner = structure
	}
	if list, _ := members[s.member].([]any); s.list && len(list) > 1 {
		list[0] = inner
	} else if s.list {
		members[s.member] = []any{inner}
	} else {
		members[s.member] = inner
	}
}

// everywhere calls check with every member of every operation, and a right request of the operation.
func everywhere(t *testing.T, check func(t *testing.T, o frontdoor.Operation, body string, s spot)) {
	t.Helper()
	audit(t, func(t *testing.T, o frontdoor.Operation, a audited) {
		body, ok := full()[o.Name]
		if !ok {
			body = a.body
		}
		for _, s := range spots(o.Input, nil) {
			check(t, o, body, s)
		}
	})
}

// What full has is right but for what no instance here can do.
func TestFullRequests(t *testing.T) {
	for operation, body := range full() {
		p := newLaunchPad(t, shop()...)
		if _, err := p.ask(t, "ADMIN", operation, body); err != nil {
			t.Errorf("%s: %v", operation, err)
		}
	}
}

// A value of another type than its member's is refused at any depth.
func TestAuditOfNestedTypes(t *testing.T) {
	p := newLaunchPad(t)
	everywhere(t, func(t *testing.T, o frontdoor.Operation, body string, s spot) {
		var wrong any = "text"
		if s.typ.Kind() == reflect.String {
			wrong = []any{7}
		}
		wronged := at(t, body, s.steps, wrong)
		if _, err := p.plans[o.Input].DecodeJSON([]byte(wronged), reflect.New(o.Input).Interface()); err == nil {
			t.Errorf("%s: %v is taken", s, wrong)
		}
	})
}

// idle reports whether a spot is in what nothing comes of: a service connect configuration that is not enabled.
func idle(s spot) bool { return s.steps[0].member == "serviceConnectConfiguration" }

// A word that is none of its member's is refused at any depth, and nothing changes.
func TestAuditOfNestedWords(t *testing.T) {
	p := newLaunchPad(t, shop()...)
	everywhere(t, func(t *testing.T, o frontdoor.Operation, body string, s spot) {
		if _, closed := s.typ.MethodByName("Values"); !closed || right()[o.Name].agents || idle(s) {
			return
		}
		if err := p.refusal(t, o.Name, at(t, body, s.steps, "X")); err.Code != parameter && err.Code != client {
			t.Errorf("%s X: %v", s, err)
		}
	})
}

// A negative number is refused at any depth. Those of anyNumber mean something, or are not read.
func TestAuditOfNegativeNumbers(t *testing.T) {
	anyNumber := []string{"ignoredExitCodes", "hardLimit", "doubleValue", "longValue"}
	p := newLaunchPad(t, shop()...)
	everywhere(t, func(t *testing.T, o frontdoor.Operation, body string, s spot) {
		if k := s.typ.Kind(); k != reflect.Int32 && k != reflect.Int64 && k != reflect.Float64 {
			return
		}
		if right()[o.Name].agents || idle(s) || slices.Contains(anyNumber, s.last().member) {
			return
		}
		if err := p.refusal(t, o.Name, at(t, body, s.steps, -1)); err.Code != parameter && err.Code != client {
			t.Errorf("%s -1: %v", s, err)
		}
	})
}

// Whatever text stands wherever, the answer is the operation's or one of the client's errors, and what is refused changes nothing.
func TestAuditOfTexts(t *testing.T) {
	p := newLaunchPad(t, shop()...)
	everywhere(t, func(t *testing.T, o frontdoor.Operation, body string, s spot) {
		if s.typ.Kind() != reflect.String {
			return
		}
		for _, text := range []string{"", " ", "\x00", "é", "..", "arn:", "arn:aws:ecs:::", "9999999999999999999", strings.Repeat("x", 3000)} {
			before := p.store.View().N
			_, err := p.ask(t, "ADMIN", o.Name, at(t, body, s.steps, text))
			if err != nil && (err.Status != 400 || p.store.View().N != before) {
				t.Errorf("%s %.20q: %v, and the store is at %d, was at %d", s, text, err, p.store.View().N, before)
			}
		}
	})
}

// An empty name in a list of names is refused, but for what is told of each, and the default cluster, which needs no name.
func TestAuditOfBlankNames(t *testing.T) {
	p := newLaunchPad(t, shop()...)
	everywhere(t, func(t *testing.T, o frontdoor.Operation, body string, s spot) {
		if len(s.steps) > 1 || !s.last().list || s.typ.Kind() != reflect.String || o.Name == "DescribeClusters" || o.Name == "DeleteTaskDefinitions" {
			return
		}
		if err := p.refusal(t, o.Name, at(t, body, s.steps, "")); err.Code != parameter && err.Code != client {
			t.Errorf("%s: %v", s, err)
		}
	})
}

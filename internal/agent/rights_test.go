package agent

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/smithy-go"

	"berth/internal/acs"
)

// TestDenials: what the control plane says of a right that is missing is read from whatever its words came in.
func TestDenials(t *testing.T) {
	const user = "User: arn:aws:sts::123456789012:assumed-role/weak/AKIA1 is not authorized to perform: "
	const poll = user + "ecs:Poll on resource: arn:aws:ecs:r:123456789012:container-instance/demo/1 because no identity-based policy allows the ecs:Poll action"
	api := func(code, text string) error {
		return fmt.Errorf("operation error ECS: https response error StatusCode: 400, RequestID: 7, %w", &smithy.GenericAPIError{Code: code, Message: text})
	}
	missing := denial{"ecs:Poll", "arn:aws:ecs:r:123456789012:container-instance/demo/1", "arn:aws:iam::123456789012:role/weak", "because no identity-based policy allows the ecs:Poll action"}
	for name, c := range map[string]struct {
		err  error
		want denial
		is   bool
	}{
		"nothing":      {},
		"an answer":    {api("AccessDeniedException", poll), missing, true},
		"a socket":     {fmt.Errorf("dial: %w", &acs.Denied{Message: poll}), missing, true},
		"a fault":      {&RegistryFault{Reason: "AccessDeniedException: " + poll}, missing, true},
		"denied":       {api("AccessDeniedException", user+"ecs:Poll on resource: * with an explicit deny in an identity-based policy"), denial{"ecs:Poll", "*", missing.role, "with an explicit deny in an identity-based policy"}, true},
		"a user":       {errors.New("denied: User: arn:aws:iam::1:user/u is not authorized to perform: ecr:BatchGetImage on resource: r because"), denial{"ecr:BatchGetImage", "r", "arn:aws:iam::1:user/u", "because"}, true},
		"cut off":      {errors.New(user), denial{role: missing.role}, true},
		"no key":       {api("UnrecognizedClientException", "The security token is invalid."), denial{why: "The security token is invalid."}, true},
		"a copy":       {api("MachineFingerprintDoesNotMatch", "Fingerprint does not match"), denial{why: "Fingerprint does not match"}, true},
		"no key there": {&acs.Denied{Message: "The security token is invalid."}, denial{why: "The security token is invalid."}, true},
		"another":      {api("ClientException", "The cluster is gone."), denial{}, false},
		"nobody":       {errors.New("connection refused"), denial{}, false},
	} {
		if got, is := denialOf(c.err); got != c.want || is != c.is {
			t.Errorf("%s: %+v, %v", name, got, is)
		}
	}
}

// TestRightsAreToldOnce: a line for each call and cause, and one when it is back.
func TestRightsAreToldOnce(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	denied := func(call, why string) error {
		return errors.New("User: arn:aws:sts::1:assumed-role/weak/s is not authorized to perform: " + call + " on resource: r" + fmt.Sprint(out.Len()) + " " + why)
	}
	const none, never = "because no identity-based policy allows the action", "with an explicit deny in an identity-based policy"
	var r rights
	for i, step := range []struct {
		call string
		err  error
		want string // in the line that is told, "" for none
	}{
		{"ecs:Poll", nil, ""},
		{"ecs:Poll", denied("ecs:Poll", none), "level=ERROR"},
		{"ecs:Poll", denied("ecs:Poll", none), ""},
		{"ecs:Poll", errors.New("connection refused"), ""},
		{"ecs:Poll", denied("ecs:Poll", none), ""},
		{"ecs:SubmitTaskStateChange", denied("ecs:SubmitTaskStateChange", none), "action=ecs:SubmitTaskStateChange role=arn:aws:iam::1:role/weak"},
		{"ecs:Poll", denied("ecs:Poll", never), `remedy="take the statement away that denies it"`},
		{"ecs:Poll", &acs.Denied{Message: "The security token is invalid."}, "berth token"},
		{"ecs:StartTelemetrySession", &acs.Denied{Message: "The security token is invalid."}, ""},
		{"ecs:Poll", &acs.Denied{Message: "Signature expired: 1 is now earlier than 2."}, "set this machine's clock"},
		{"ecs:Poll", &acs.Denied{Message: "Systems Manager cannot assume the role r: it is gone, or"}, "have the role's trust policy allow sts:AssumeRole to ssm.amazonaws.com"},
		{"ecs:Poll", denied("ecs:Poll", "because another principal has registered the container instance"), "give the agent the credentials that it has registered with"},
		{"ecs:Poll", nil, "level=INFO"},
		{"ecs:Poll", nil, ""},
		{"ecs:Poll", denied("ecs:Poll", none), "attach AmazonEC2ContainerServiceforEC2Role to the role or allow ecs:Poll"},
		{"ecs:SubmitTaskStateChange", nil, "level=INFO"},
	} {
		out.Reset()
		missing := r.heard(log, step.call, step.err)
		if _, is := denialOf(step.err); missing != is {
			t.Errorf("step %d: missing %v", i, missing)
		}
		if got := out.String(); (step.want == "") != (got == "") || !strings.Contains(got, step.want) || strings.Count(got, "\n") > 1 {
			t.Errorf("step %d: told %q, want %q", i, got, step.want)
		}
	}
}

package managed

import (
	"encoding/json"
	"regexp"
	"testing"

	"berth/internal/policy"
)

// The policies that people who run ECS attach are there, at AWS's paths.
func TestFind(t *testing.T) {
	all := Load()
	for _, arn := range []string{
		"service-role/AmazonECSTaskExecutionRolePolicy", "service-role/AmazonEC2ContainerServiceforEC2Role", "service-role/AmazonEC2ContainerServiceRole",
		"AmazonECS_FullAccess", "aws-service-role/AmazonECSServiceRolePolicy", "service-role/AmazonEC2ContainerServiceAutoscaleRole",
		"service-role/AmazonEC2ContainerServiceEventsRole", "service-role/AmazonECSInfrastructureRolePolicyForVolumes",
		"AmazonECSInfrastructureRolePolicyForLoadBalancers", "AmazonEC2ContainerRegistryReadOnly", "AmazonEC2ContainerRegistryPowerUser",
		"AmazonEC2ContainerRegistryFullAccess", "CloudWatchLogsFullAccess", "CloudWatchLogsReadOnlyAccess", "SecretsManagerReadWrite",
		"AmazonSSMReadOnlyAccess", "AmazonSSMFullAccess", "AmazonSSMManagedInstanceCore", "AdministratorAccess", "ReadOnlyAccess", "PowerUserAccess",
		"IAMFullAccess", "IAMReadOnlyAccess", "AmazonVPCFullAccess", "AmazonVPCReadOnlyAccess", "AmazonEC2FullAccess", "AmazonEC2ReadOnlyAccess",
		"aws-service-role/AWSApplicationAutoscalingECSServicePolicy", "aws-service-role/AutoScalingServiceRolePolicy",
		"aws-service-role/AWSElasticLoadBalancingServiceRolePolicy",
	} {
		p := all.Find("arn:aws:iam::aws:policy/" + arn)
		if p == nil {
			t.Errorf("no %s", arn)
			continue
		}
		if p.Path+p.Name != "/"+arn {
			t.Errorf("%s has the path %s and the name %s", arn, p.Path, p.Name)
		}
		if got, want := ServiceLinked(p), p.Path == "/aws-service-role/"; got != want {
			t.Errorf("%s is for a service-linked role: %v", arn, got)
		}
	}
	if all.Find("arn:aws:iam::aws:policy/Nothing") != nil {
		t.Error("there is a policy that nobody has written")
	}
}

// Each policy is whole: what AWS's have, in its form.
func TestAll(t *testing.T) {
	ids := map[string]string{}
	for _, p := range Load().All() {
		if !regexp.MustCompile(`^ANPA[A-Z2-7]{17}$`).MatchString(p.ID) || ids[p.ID] != "" {
			t.Errorf("%s has the id %s, as has %q", p.Name, p.ID, ids[p.ID])
		}
		ids[p.ID] = p.Name
		if !regexp.MustCompile(`^v[1-9][0-9]*$`).MatchString(p.Default) || p.CreateDate.IsZero() || p.UpdateDate.Before(p.CreateDate) {
			t.Errorf("%s: version %s of %s, made %s", p.Name, p.Default, p.UpdateDate, p.CreateDate)
		}
		if _, err := policy.Parse(p.Document(), policy.Identity); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
		var d struct{ Statement []struct{ Effect string } }
		if err := json.Unmarshal([]byte(p.Document()), &d); err != nil || len(d.Statement) == 0 || d.Statement[0].Effect == "" {
			t.Errorf("%s: %v in %.80s", p.Name, err, p.Document())
		}
	}
	if len(ids) < 30 {
		t.Errorf("only %d policies", len(ids))
	}
}

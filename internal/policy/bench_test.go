package policy

import (
	"fmt"
	"testing"
)

// statements are n statements as teams write them: some of one service, some of others, each about resources of its own.
func statements(n int) Document {
	d := Document{Version: Version2012}
	services := []string{"ecs", "sns", "ec2", "elasticfilesystem", "logs", "ssm", "secretsmanager", "ecr", "sqs", "dynamodb"}
	for i := range n {
		service := services[i%len(services)]
		s := Statement{
			Sid: fmt.Sprint("s", i), Effect: Allow, Actions: []string{service + ":Describe*", service + ":RunTask", service + ":Update" + fmt.Sprint(i)},
			Resources: []string{fmt.Sprintf("arn:aws:%s:us-east-1:123456789012:cluster/team-%d", service, i), fmt.Sprintf("arn:aws:%s:*:123456789012:task/team-%d/*", service, i)},
		}
		switch i % 5 {
		case 1:
			s.Conditions = []Condition{{Operator: "StringEquals", Key: "aws:ResourceTag/team", Values: []string{fmt.Sprint("team-", i)}}}
		case 2:
			s.Effect, s.Actions = Deny, []string{service + ":Delete*"}
		case 3:
			s.Resources = append(s.Resources, "arn:aws:"+service+":us-east-1:123456789012:service/${aws:PrincipalTag/team}/*")
		}
		d.Statements = append(d.Statements, s)
	}
	return d
}

// BenchmarkDecide is a decision among statements of which none but the last allows the request.
func BenchmarkDecide(b *testing.B) {
	context := Keys{{"aws:resourcetag/team", []string{"x"}}, {"ecs:cluster", []string{"arn:aws:ecs:us-east-1:123456789012:cluster/demo"}}}
	for _, n := range []int{1, 50, 1000} {
		d := statements(n - 1)
		d.Statements = append(d.Statements, Statement{Effect: Allow, Actions: []string{"ecs:*"}, Resources: []string{"arn:aws:ecs:*:*:task-definition/web:*"}})
		p := ada(d)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				v := Decide(Request{Principal: p, Action: "ecs:RunTask", Resource: "arn:aws:ecs:us-east-1:123456789012:task-definition/web:7", Context: context})
				if v.Decision != Allowed {
					b.Fatal(v)
				}
			}
		})
	}
}

// BenchmarkDecideOneAction is the worst there is for an index: all statements are about the one action, each on a resource of its own.
func BenchmarkDecideOneAction(b *testing.B) {
	for _, n := range []int{50, 1000} {
		for _, form := range []string{"arn:aws:ecs:us-east-1:123456789012:cluster/team-%d", "arn:aws:ecs:*:*:cluster/team-%d-*"} {
			d := Document{Version: Version2012}
			for i := range n {
				d.Statements = append(d.Statements, Statement{Effect: Allow, Actions: []string{"ecs:RunTask"}, Resources: []string{fmt.Sprintf(form, i)}})
			}
			p := ada(d)
			b.Run(fmt.Sprint(n, "/", form), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if v := Decide(Request{Principal: p, Action: "ecs:RunTask", Resource: "arn:aws:ecs:us-east-1:123456789012:cluster/nobody-has-it"}); v.Decision != ImplicitDeny {
						b.Fatal(v)
					}
				}
			})
		}
	}
}

// BenchmarkDecideConditions is one statement with conditions, tags and variables.
func BenchmarkDecideConditions(b *testing.B) {
	d := Document{Version: Version2012, Statements: []Statement{{
		Effect: Allow, Actions: []string{"ecs:RunTask"}, Resources: []string{"arn:aws:ecs:*:*:task-definition/${aws:PrincipalTag/team}-*"},
		Conditions: []Condition{
			{"ArnEquals", "ecs:cluster", []string{"arn:aws:ecs:*:*:cluster/demo"}}, {"StringEquals", "aws:RequestTag/team", []string{"${aws:PrincipalTag/team}"}},
			{"ForAllValues:StringEquals", "aws:TagKeys", []string{"team", "cost"}}, {"IpAddress", "aws:SourceIp", []string{"10.0.0.0/8", "2001:db8::/32"}},
			{"DateLessThan", "aws:CurrentTime", []string{"2030-01-01T00:00:00Z"}}, {"Bool", "aws:SecureTransport", []string{"true"}},
		},
	}}}
	p := ada(d)
	p.Tags = map[string]string{"team": "web"}
	context := Keys{
		{"aws:sourceip", []string{"10.1.2.3"}}, {"aws:currenttime", []string{"2026-11-29T12:00:00Z"}}, {"aws:securetransport", []string{"true"}},
		{"ecs:cluster", []string{"arn:aws:ecs:us-east-1:123456789012:cluster/demo"}}, {"aws:requesttag/team", []string{"web"}}, {"aws:tagkeys", []string{"team"}},
	}
	b.ReportAllocs()
	for b.Loop() {
		v := Decide(Request{Principal: p, Action: "ecs:RunTask", Resource: "arn:aws:ecs:us-east-1:123456789012:task-definition/web-api:7", Context: context})
		if v.Decision != Allowed {
			b.Fatal(v)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	d := statements(50)
	text := d.String()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(text, Managed); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	d := statements(1000)
	b.ReportAllocs()
	for b.Loop() {
		if set(d).Len() != 1000 {
			b.Fatal("statements are missing")
		}
	}
}

package frontdoor

import (
	"net/http/httptest"
	"testing"
	"time"

	"berth/internal/policy"
)

// A caller from outside is bound by the conditions of its policies.
func TestOutside(t *testing.T) {
	d := New(Config{Account: "111111111111", Region: "eu-west-1"})
	r := httptest.NewRequest("GET", "/v2/", nil)
	r.RemoteAddr = "10.0.0.7:1234"
	issued := time.Now().Add(-time.Hour)
	document, err := policy.Parse(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ecr:*","Resource":"*","Condition":{
		"IpAddress":{"aws:SourceIp":"10.0.0.0/24"},"StringEquals":{"aws:RequestedRegion":"us-east-1"},"Bool":{"aws:SecureTransport":"false"},
		"DateGreaterThan":{"aws:TokenIssueTime":"`+issued.Add(-time.Minute).UTC().Format(time.RFC3339)+`"}}}}`, policy.Identity)
	if err != nil {
		t.Fatal(err)
	}
	key := Key{Issued: issued, Principal: policy.Principal{ARN: "arn:aws:iam::111111111111:user/u", Grants: &policy.Grants{Identity: policy.Compile(policy.Source{Document: document})}}}
	q := Question{Action: "ecr:PutImage", Resource: "arn:aws:ecr:us-east-1:111111111111:repository/a"}
	if e := d.Outside(r, "AKIA1", key, "us-east-1").Authorize(q); e != nil {
		t.Error(e)
	}
	for what, change := range map[string]func() Outside{
		"region": func() Outside { return d.Outside(r, "AKIA1", key, "eu-west-1") },
		"none":   func() Outside { return d.Outside(r, "AKIA1", key, "") },
		"address": func() Outside {
			o := *r
			o.RemoteAddr = "10.0.1.7:1234"
			return d.Outside(&o, "AKIA1", key, "us-east-1")
		},
		"old": func() Outside {
			k := key
			k.Issued = issued.Add(-time.Hour)
			return d.Outside(r, "AKIA1", k, "us-east-1")
		},
	} {
		if e := change().Authorize(q); e == nil || e.Code != "AccessDeniedException" {
			t.Errorf("%s: %v", what, e)
		}
	}
}

// What becomes of such a call is told to the audit log with who it was, what policies said, and what the caller says of it.
func TestOutsideAudited(t *testing.T) {
	var told []*Audited
	d := New(Config{Account: "111111111111", Audit: func(a *Audited) { told = append(told, a) }})
	r := httptest.NewRequest("GET", "/v2/", nil)
	r.RemoteAddr = "10.0.0.7:1234"
	r.Header.Set("User-Agent", "docker/29")
	issued := time.Now().Add(-time.Hour)
	o := d.Outside(r, "ASIA1", Key{Issued: issued, Principal: policy.Principal{ARN: "arn:aws:iam::111111111111:user/u"}}, "eu-west-1")
	refused := o.Authorize(Question{Action: "ecr:PutImage", Resource: "arn:aws:ecr:eu-west-1:111111111111:repository/a"})
	in := &struct{}{}
	o.Audit(Audited{Service: "ecr", Operation: "PutImage", In: in, Failure: refused, Frequent: true, Size: 7})
	if len(told) != 1 {
		t.Fatalf("told of %d calls", len(told))
	}
	a := told[0]
	if a.Service != "ecr" || a.Operation != "PutImage" || a.In != in || a.Out != nil || a.Failure != refused || !a.Frequent || a.Size != 7 ||
		a.Source != "10.0.0.7" || a.UserAgent != "docker/29" || !a.Issued.Equal(issued) || time.Since(a.At) > time.Minute ||
		a.Request.AccessKeyID != "ASIA1" || a.Request.Scope.Region != "eu-west-1" || len(a.Request.Decisions) != 1 {
		t.Errorf("%+v", a)
	}
	New(Config{}).Outside(r, "", Key{}, "").Audit(Audited{}) // nobody listens
}

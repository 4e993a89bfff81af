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
	if e := d.Outside(r, key, "us-east-1").Authorize(q); e != nil {
		t.Error(e)
	}
	for what, change := range map[string]func() *Request{
		"region":  func() *Request { return d.Outside(r, key, "eu-west-1") },
		"none":    func() *Request { return d.Outside(r, key, "") },
		"address": func() *Request { o := *r; o.RemoteAddr = "10.0.1.7:1234"; return d.Outside(&o, key, "us-east-1") },
		"old":     func() *Request { k := key; k.Issued = issued.Add(-time.Hour); return d.Outside(r, k, "us-east-1") },
	} {
		if e := change().Authorize(q); e == nil || e.Code != "AccessDeniedException" {
			t.Errorf("%s: %v", what, e)
		}
	}
}

package main

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// ec2Error is a refusal of the EC2 API.
type ec2Error struct {
	Code    string `xml:"Errors>Error>Code"`
	Message string `xml:"Errors>Error>Message"`
}

func (e *ec2Error) Error() string { return e.Code + ": " + e.Message }

// ec2Refused reports whether err is a refusal of the EC2 API with the code.
func ec2Refused(err error, code string) bool {
	var e *ec2Error
	return errors.As(err, &e) && e.Code == code
}

// ec2 makes a call of the EC2 API: the parameters as its query protocol has them ("Filter.1.Name"), and out for the XML of the answer, which may be nil.
// A refusal is an *ec2Error. The SDK's own package of EC2 would double this program's size.
func (c *client) ec2(ctx context.Context, action string, parameters url.Values, out any) error {
	form := url.Values{"Action": {action}, "Version": {"2016-11-15"}}
	for name, values := range parameters {
		form[name] = values
	}
	body := form.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint+"/", strings.NewReader(body))
	if err != nil {
		return fmt.Errorf("%s: %w", action, err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	resp, err := c.sign(ctx, r, "ec2", []byte(body))
	if err != nil {
		return fmt.Errorf("%s: %w", action, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return fmt.Errorf("%s: read the answer: %w", action, err)
	}
	if resp.StatusCode/100 != 2 {
		refusal := &ec2Error{Code: resp.Status}
		if xml.Unmarshal(text, refusal) != nil {
			refusal.Message = string(text[:min(len(text), 1024)])
		}
		return fmt.Errorf("%s: %w", action, refusal)
	}
	if out == nil {
		return nil
	}
	if err := xml.Unmarshal(text, out); err != nil {
		return fmt.Errorf("%s: %w", action, err)
	}
	return nil
}

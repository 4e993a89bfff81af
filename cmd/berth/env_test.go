package main

import "testing"

func TestEnvTellsTheInstallation(t *testing.T) {
	c := &client{in: installation{ID: "abc"}, endpoint: "http://127.0.0.1:3270"}
	vars := map[string]string{}
	for _, v := range c.env() {
		vars[v[0]] = v[1]
	}
	if vars["BERTH_INSTALLATION"] != "abc" || vars["AWS_ENDPOINT_URL"] != c.endpoint {
		t.Errorf("%v", vars)
	}
}

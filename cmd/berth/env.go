package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"time"

	"github.com/spf13/cobra"
)

func envCommand() *cobra.Command {
	var data, format string
	c := &cobra.Command{
		Use: "env", Short: "Print what points AWS clients at the installation", Args: cobra.NoArgs,
		Example: "  eval \"$(berth env)\"",
		RunE: func(c *cobra.Command, _ []string) error {
			k, err := openClient(data)
			if err != nil {
				return err
			}
			vars := k.env()
			if format == "json" {
				m := map[string]string{}
				for _, v := range vars {
					m[v[0]] = v[1]
				}
				return json.NewEncoder(c.OutOrStdout()).Encode(m)
			}
			for _, v := range vars {
				fmt.Fprintf(c.OutOrStdout(), "export %s='%s'\n", v[0], v[1])
			}
			if oldCLI(c.Context()) {
				fmt.Fprintf(c.OutOrStdout(), "# this aws does not know AWS_ENDPOINT_URL\naws() { command aws --endpoint-url '%s' \"$@\"; }\n", k.endpoint)
			}
			return nil
		},
	}
	dataFlag(c, &data)
	outputFlag(c, &format)
	return c
}

// env are the variables: those of the AWS clients, and the value of the label berth.installation of all containers that are this machine's.
func (c *client) env() [][2]string {
	return [][2]string{
		{"AWS_ENDPOINT_URL", c.endpoint}, {"AWS_ACCESS_KEY_ID", c.key.AccessKeyID}, {"AWS_SECRET_ACCESS_KEY", c.key.SecretAccessKey},
		{"AWS_DEFAULT_REGION", c.in.Region}, {"AWS_REGION", c.in.Region}, {"AWS_PAGER", ""},
		{"AWS_DISABLE_HOST_PREFIX_INJECTION", "true"}, // a live tail is asked of "stream-" and the endpoint's host otherwise
		{"BERTH_INSTALLATION", c.in.ID},
	}
}

var cliVersion = regexp.MustCompile(`^aws-cli/(\d+)\.(\d+)`)

// oldCLI reports whether the installed AWS CLI is older than 1.29 or 2.13, which brought AWS_ENDPOINT_URL.
func oldCLI(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "aws", "--version").CombinedOutput()
	m := cliVersion.FindStringSubmatch(string(out))
	if err != nil || m == nil {
		return false
	}
	major, _ := strconv.Atoi(m[1])
	minor, _ := strconv.Atoi(m[2])
	return major == 1 && minor < 29 || major == 2 && minor < 13
}

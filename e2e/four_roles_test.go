package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"berth/e2e/site"
)

// TestFourRoles runs the example that shows the four roles in one go. It fails itself where something is not as it says, and leaves nothing.
func TestFourRoles(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := exec.CommandContext(t.Context(), "../examples/four-roles.sh")
	c.Env = append(os.Environ(), "ASK="+site.Ask(t), "DOCKER_CONFIG="+t.TempDir(), "PATH="+strings.Join([]string{w.bin, filepath.Dir(site.Plugin(t)), os.Getenv("PATH")}, ":"))
	for k, v := range w.env {
		c.Env = append(c.Env, k+"="+v)
	}
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(string(out), "as it should be") {
		t.Errorf("it printed:\n%s", out)
	}
	for _, left := range []string{"iam list-roles --query Roles[].RoleName", "ecr describe-repositories", "secretsmanager list-secrets", "logs describe-log-groups", "ecs list-tasks"} {
		c := exec.CommandContext(t.Context(), filepath.Join(w.bin, "aws"), append(strings.Fields(left), "--output", "text")...)
		c.Env = os.Environ()
		for k, v := range w.env {
			c.Env = append(c.Env, k+"="+v)
		}
		got, err := c.CombinedOutput()
		if err != nil || strings.Contains(string(got), "four-roles") {
			t.Errorf("aws %s: %v\n%s", left, err, got)
		}
	}
}

package ecs

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/golden"
)

// Stories of account settings, task protection and task sets, told in the shop, a second a line. "wait 5s" lets more time pass.
func TestStories(t *testing.T) {
	for _, dir := range []string{
		"update_task_protection", "get_task_protection", "put_account_setting", "put_account_setting_default", "delete_account_setting",
		"list_account_settings", "list_services_by_namespace", "task_sets",
	} {
		golden.Run(t, "testdata/"+dir+"/*.txtar", func(t *testing.T, in map[string]string) (out string) {
			synctest.Test(t, func(t *testing.T) {
				s := &shopper{launchPad: newLaunchPad(t, shop()...)}
				for line := range strings.Lines(in["requests"]) {
					out += s.hear(t, strings.TrimSpace(line))
				}
			})
			return out
		})
	}
}

// hear lets the time of a line pass, or asks its request.
func (s *shopper) hear(t *testing.T, line string) string {
	t.Helper()
	if wait, is := strings.CutPrefix(line, "wait "); is {
		d, err := time.ParseDuration(wait)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(d)
		return ""
	}
	time.Sleep(time.Second)
	return "> " + line + "\n" + s.tell(t, line)
}

package clients

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// TestJavaScript runs the scripts of js, which use the SDK for JavaScript v3.
func TestJavaScript(t *testing.T) {
	t.Parallel()
	in := here(t)
	js := javaScript(t)
	t.Run("paginators", func(t *testing.T) { t.Parallel(); in.script(t, js, "node", "js/pages.js", listsFile(t, in)) })
	t.Run("errors", func(t *testing.T) { t.Parallel(); wrongs(t, in); in.script(t, js, "node", "js/errors.js", wrongFile) })
	t.Run("waiters", func(t *testing.T) { t.Parallel(); in.script(t, js, "node", "js/waiters.js") })
	t.Run("deploy action", func(t *testing.T) {
		t.Parallel()
		definition := sleeper("js-deploy")
		c := &definition.ContainerDefinitions[0]
		c.MemoryReservation = aws.Int32(8) // for an attribute that it requires
		c.Environment = []types.KeyValuePair{{Name: aws.String("EMPTY"), Value: aws.String("")}, {Name: aws.String("STAGE"), Value: aws.String("test")}}
		c.PortMappings, c.DockerLabels = []types.PortMapping{{ContainerPort: aws.Int32(80)}}, map[string]string{"team": "web"}
		serve(t, in.client(), "js-deploy", 1, definition)
		printed := in.aws(t, "ecs", "describe-task-definition", "--task-definition", "js-deploy", "--query", "taskDefinition", "--output", "json")
		file := filepath.Join(t.TempDir(), "task-definition.json")
		if err := os.WriteFile(file, []byte(printed), 0o600); err != nil {
			t.Fatal(err)
		}
		in.script(t, js, "node", "js/deploy.js", file, "js-deploy")
	})
}

// javaScript is the variable that lets node find the modules of js/package-lock.json, which make deps installs outside of the tree.
func javaScript(t *testing.T) string {
	t.Helper()
	lock, err := os.ReadFile("js/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(lock)
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	modules := filepath.Join(cache, "berth", "javascript", hex.EncodeToString(sum[:])[:16], "node_modules")
	if _, err := os.Stat(filepath.Join(modules, "@aws-sdk", "client-ecs")); err != nil {
		t.Fatalf("the SDK for JavaScript is missing (make deps installs it): %v", err)
	}
	return "NODE_PATH=" + modules
}

package clients

import "testing"

// systemPython has boto3 from the system's packages, also where another Python comes first on the path.
const systemPython = "/usr/bin/python3"

// TestBoto3 runs the scripts of py, which use boto3.
func TestBoto3(t *testing.T) {
	t.Parallel()
	in := here(t)
	python := func(t *testing.T, file string, args ...string) {
		in.script(t, "PYTHONDONTWRITEBYTECODE=1", systemPython, file, args...)
	}
	t.Run("paginators", func(t *testing.T) { t.Parallel(); python(t, "py/pages.py", listsFile(t, in)) })
	t.Run("errors", func(t *testing.T) { t.Parallel(); wrongs(t, in); python(t, "py/errors.py", wrongFile) })
	t.Run("waiters", func(t *testing.T) { t.Parallel(); python(t, "py/waiters.py") })
	t.Run("ecs-deploy", func(t *testing.T) {
		t.Parallel()
		serve(t, in.client(), "py-ecs-deploy", 1, sleeper("py-ecs-deploy"))
		python(t, "py/ecs_deploy.py", "py-ecs-deploy")
	})
}

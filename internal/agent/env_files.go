package agent

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"

	"berth/internal/acsproto"
)

// EnvironmentFiles reads tasks' environment files.
type EnvironmentFiles interface {
	// Variables are what objects of S3 say, by their ARNs and in the order of the list, read as a task's execution role. A *FileFault says that one is
	// not to be had. Every other error is the control plane's: it does not answer, or the role's credentials have not come.
	Variables(ctx context.Context, task string, files []string) ([]map[string]string, error)
}

// FileFault says why an environment file is not to be had. It holds nothing of what is in one.
type FileFault struct {
	Bucket, Key string // "" where no one file is meant
	Reason      string // S3's: "AccessDenied: Access Denied"
	Later       bool   // another try may help
}

func (f *FileFault) Error() string { return f.text(false) }

// text is ECS's reason of a task that lacks the file: those of the agent, and those of Fargate.
func (f *FileFault) text(onFargate bool) string {
	switch {
	case onFargate:
		return "ResourceInitializationError: failed to download env files: file download command: non empty error stream: " + f.Reason
	case f.Key == "":
		return "environment file resource: " + f.Reason
	}
	return fmt.Sprintf("unable to download env file with key %s from bucket %s, error: %s", f.Key, f.Bucket, f.Reason)
}

const (
	filesTimeout  = 10 * time.Second // of one try to read a task's files
	filesPatience = 30 * time.Second // of all tries, while it is the store that does not answer
	noFilesRole   = "unable to find execution role credentials"
	s3Type        = "s3"
)

// files are what a task's environment files say, in memory only.
type files struct {
	lesson
	variables map[string]map[string]string // by the files' ARNs
}

// filesOf are the environment files of a task's containers, each once.
func filesOf(t acsproto.Task) (list []string) {
	for _, c := range t.Containers {
		for _, f := range c.EnvironmentFiles {
			if !slices.Contains(list, f.Value) {
				list = append(list, f.Value)
			}
		}
	}
	return list
}

// checkFiles refuses environment files that this agent does not know where to read.
func checkFiles(r *Record) error {
	for _, c := range r.Task.Containers {
		for _, f := range c.EnvironmentFiles {
			if f.Type != s3Type || f.Value == "" {
				return fmt.Errorf("container %s: environment file %q: type %q is not served by this agent", c.Name, f.Value, f.Type)
			}
		}
	}
	return nil
}

// learnFiles reads all environment files of the task before the first of its containers is created. errGivenUp: the task is on its way to stop.
func (t *task) learnFiles(ctx context.Context, name string) error {
	var list []string
	role := false
	t.view(func(r *Record) { list, role = filesOf(r.Task), r.Roles.Execution != "" })
	switch {
	case len(list) == 0 || hidden(name):
		return nil
	case t.agent.EnvironmentFiles == nil:
		t.give("the agent of this container instance does not read environment files")
		return errGivenUp
	case !role:
		return t.withoutFiles(&FileFault{Reason: noFilesRole})
	}
	return t.learn(ctx, name, &t.files.lesson, func(ctx context.Context) error { return t.readFiles(ctx, list) })
}

// readFiles tries once to read files. Who calls has put something into files.reading.
func (t *task) readFiles(ctx context.Context, list []string) error {
	limited, cancel := context.WithTimeout(ctx, filesTimeout)
	defer cancel()
	variables, err := t.agent.EnvironmentFiles.Variables(limited, t.arn, list)
	switch {
	case err == nil:
		known := make(map[string]map[string]string, len(list))
		for n, file := range list {
			known[file] = variables[n]
		}
		t.view(func(*Record) { t.files.variables, t.files.learned = known, true })
		return nil
	case ctx.Err() != nil:
		return t.unlessStopping(ctx.Err())
	}
	var fault *FileFault
	patience := filesPatience
	if !errors.As(err, &fault) {
		fault, patience = &FileFault{Reason: err.Error(), Later: true}, secretsPatience
	}
	if fault.Later && !t.triedFor(&t.files.lesson, patience) {
		return fmt.Errorf("read the task's environment files: %w", err)
	}
	if limited.Err() != nil {
		fault.Reason = outOfPatience
	}
	return t.withoutFiles(fault)
}

// withoutFiles stops a task that lacks an environment file.
func (t *task) withoutFiles(fault *FileFault) error {
	onFargate := false
	t.view(func(r *Record) { onFargate = fargate(r.Task) })
	t.give(fault.text(onFargate))
	return errGivenUp
}

// giveFiles gives a container the variables of its environment files. Of several files the first to name a variable has it, and what the container's own
// environment says comes before them all.
func giveFiles(c acsproto.Container, known map[string]map[string]string, config *container.Config) {
	taken := map[string]bool{}
	for _, v := range config.Env {
		name, _, _ := strings.Cut(v, "=")
		taken[name] = true
	}
	for _, f := range c.EnvironmentFiles {
		for _, name := range slices.Sorted(maps.Keys(known[f.Value])) {
			if !taken[name] {
				taken[name] = true
				config.Env = append(config.Env, name+"="+known[f.Value][name])
			}
		}
	}
}

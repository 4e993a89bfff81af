package e2e

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// tourBlock is a block of commands of the page, and what it prints; shown is false where the page says nothing about that.
type tourBlock struct {
	line             int
	commands, prints string
	shown            bool
	needs            string
}

// tourBlocks are the blocks of commands of a page, in their order.
func tourBlocks(page string) (blocks []tourBlock) {
	fence, needs, behind := "", "", false
	for n, line := range strings.Split(page, "\n") {
		switch {
		case fence == "" && strings.HasPrefix(line, "```"):
			fence = strings.TrimPrefix(line, "```")
			if fence == "sh" {
				blocks = append(blocks, tourBlock{line: n + 2, needs: needs})
			} else if fence == "text" && behind {
				blocks[len(blocks)-1].shown = true
			}
		case line == "```":
			behind, fence = fence == "sh", ""
		case fence == "sh":
			blocks[len(blocks)-1].commands += line + "\n"
		case fence == "text" && behind:
			blocks[len(blocks)-1].prints += line + "\n"
		case strings.HasPrefix(line, "#"):
			needs, behind = "", false
		case strings.HasPrefix(line, "<!-- needs: "):
			needs = strings.TrimSuffix(strings.TrimPrefix(line, "<!-- needs: "), " -->")
		default:
			behind = behind && line == ""
		}
	}
	return blocks
}

// can reports whether what the block needs is there; free says that of the way to the default VPC.
func (b tourBlock) can(free bool) bool {
	switch b.needs {
	case "":
		return true
	case "the way to the default VPC":
		return free
	}
	return exec.Command("sh", "-c", b.needs+" --generate-cli-skeleton").Run() == nil
}

// tourMasks are what is another thing in every run.
var tourMasks = []struct {
	what *regexp.Regexp
	as   string
}{
	{regexp.MustCompile(`(?m)^aws: \[ERROR\]: `), ""}, // newer CLIs begin their errors with it
	{regexp.MustCompile(`\b[0-9a-f]{32}\b`), "ID"},
	{regexp.MustCompile(`\b(m?i)-[0-9a-f]{17}\b`), "$1-ID"},
	{regexp.MustCompile(`\becs-svc/[0-9]+`), "ecs-svc/ID"},
	{regexp.MustCompile(`\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)`), "TIME"},
	{regexp.MustCompile(`\b\d{1,3}(\.\d{1,3}){3}(:\d+)?\b`), "ADDRESS"},
}

// tourLines are the lines that are not blank, masked and with single blanks.
func tourLines(text string) (lines []string) {
	for _, m := range tourMasks {
		text = m.what.ReplaceAllString(text, m.as)
	}
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) > 0 {
			lines = append(lines, strings.Join(words, " "))
		}
	}
	return lines
}

const tourError = "An error occurred"

// failures is how many of the block's commands are to fail.
func (b tourBlock) failures() int { return strings.Count(b.prints, tourError) }

// differs tells how what a block printed, and which of its commands failed, is not what the page shows.
func (b tourBlock) differs(got string, failed []string) string {
	if want := b.failures(); len(failed) != want {
		return fmt.Sprintf("%d commands failed, and %d were to: %q\n%s", len(failed), want, failed, got)
	}
	if !b.shown {
		return ""
	}
	want, have := tourLines(b.prints), tourLines(got)
	for i := range max(len(want), len(have)) {
		w, h := "(nothing)", "(nothing)"
		if i < len(want) {
			w = want[i]
		}
		if i < len(have) {
			h = have[i]
		}
		pattern := strings.ReplaceAll(regexp.QuoteMeta(w), `\.\.\.`, ".*")
		if !regexp.MustCompile("^" + pattern + "$").MatchString(h) {
			return fmt.Sprintf("line %d of what it prints is not as shown:\n  shown:   %s\n  printed: %s\nin all:\n%s", i+1, w, h, got)
		}
	}
	return ""
}

// tourShell is the reader's bash.
type tourShell struct {
	page  string // for messages
	in    io.Writer
	lines chan string // closed when bash has ended
}

const (
	tourDone   = "=== done with the block"
	tourFailed = "=== failed: "
	tourLimit  = 2 * time.Minute // for one block
)

// startTourShell starts bash in a folder, with an environment. It and what it starts are killed at the test's end.
func startTourShell(t *testing.T, dir string, env []string) *tourShell {
	t.Helper()
	cmd := exec.Command("bash", "--norc", "--noprofile")
	cmd.Dir, cmd.Env, cmd.SysProcAttr = dir, env, &syscall.SysProcAttr{Setpgid: true}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	r, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	sh := &tourShell{in: in, lines: make(chan string, 1000)}
	go func() {
		for s := bufio.NewScanner(r); s.Scan(); {
			sh.lines <- s.Text()
		}
		close(sh.lines)
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it may have ended
		_ = cmd.Wait()
		w.Close()
	})
	fmt.Fprintf(in, "trap 'echo \"%s$BASH_COMMAND\"' ERR\n", tourFailed)
	return sh
}

// paste runs a block, and returns what it printed and the commands that failed.
func (sh *tourShell) paste(t *testing.T, b tourBlock) (printed string, failed []string) {
	t.Helper()
	fmt.Fprintf(sh.in, "%s\necho; echo '%s'\n", b.commands, tourDone)
	limit := time.After(tourLimit)
	for {
		select {
		case line, ok := <-sh.lines:
			switch command, isFailure := strings.CutPrefix(line, tourFailed); {
			case !ok:
				t.Fatalf("%s:%d: the shell ended\n%s%s", sh.page, b.line, b.commands, printed)
			case line == tourDone:
				return printed, failed
			case isFailure:
				if failed = append(failed, command); len(failed) > b.failures() {
					return printed, failed // what comes behind it may wait for ever
				}
			default:
				printed += line + "\n"
			}
		case <-limit:
			t.Fatalf("%s:%d: not done after %s\n%sIt printed:\n%s", sh.page, b.line, tourLimit, b.commands, printed)
		}
	}
}

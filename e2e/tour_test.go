package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"berth/e2e/site"
)

// The tours work as they are written: their blocks are run by one bash after `make up`, in their order, and print what the page shows.
//
// A fenced block "sh" is pasted into bash as it is. A block "text" right behind it is what it prints: ids, times and blanks may differ, and "..."
// stands for anything within a line. A command may fail only where an "An error occurred" is shown. "<!-- needs: COMMAND -->" leaves the blocks up
// to the next heading out where the installed AWS CLI does not know the command; "the way to the default VPC" is needed where another installation on the
// machine may have it.
func TestTour(t *testing.T)      { tour(t, "docs/ec2-mode.md") }
func TestModesTour(t *testing.T) { tour(t, "docs/modes.md") }
func TestRolesTour(t *testing.T) { t.Parallel(); tour(t, "docs/roles.md") } // it does not reach its tasks from the machine

// tour runs the blocks of a page of the tree.
func tour(t *testing.T, name string) {
	page, err := os.ReadFile(filepath.Join("..", name))
	if err != nil {
		t.Fatal(err)
	}
	blocks := tourBlocks(string(page))
	if len(blocks) < 10 {
		t.Fatalf("%s has %d blocks of commands", name, len(blocks))
	}
	free := defaultVPCIsFree()
	sh := openTour(t)
	sh.page = name
	for _, b := range blocks {
		if !b.can(free) {
			t.Logf("line %d is left out: there is no %s", b.line, b.needs)
			continue
		}
		began := time.Now()
		got, failed := sh.paste(t, b)
		t.Logf("line %d: %.1f s", b.line, time.Since(began).Seconds())
		if diff := b.differs(got, failed); diff != "" {
			t.Fatalf("%s:%d: %s\n%s", name, b.line, diff, b.commands)
		}
	}
}

// The comparison itself: what it lets pass, and what it does not.
func TestTourBlocks(t *testing.T) {
	const page = "# A\n```sh\none\ntwo\n```\n```text\ntask 0bab6fe1d1df8004d52e10cd827edf82  has ... MiB\n```\nwords\n" +
		"<!-- needs: aws x -->\n```sh\nthree\n```\n\n```sh\nfour\n```\n## B\n```sh\nfive\n```\n```text\nAn error occurred (A)\n```\n"
	blocks := tourBlocks(page)
	var all []string
	for _, b := range blocks {
		all = append(all, strings.TrimSpace(b.commands)+"|"+b.needs)
	}
	if got := strings.Join(all, " "); got != "one\ntwo| three|aws x four|aws x five|" {
		t.Fatalf("blocks: %q", got)
	}
	for _, c := range []struct {
		block  int
		got    string
		failed []string
		same   bool
	}{
		{0, "task 16e0b2f280d5d54606d3f8e8baf90c56 has 7 MiB\n", nil, true},
		{0, "\ntask\t16e0b2f280d5d54606d3f8e8baf90c56 has 7 MiB\n\n", nil, true},
		{0, "task 16e0b2f280d5d54606d3f8e8baf90c56 has 7 GiB\n", nil, false},
		{0, "task 16e0b2f280d5d54606d3f8e8baf90c56 has 7 MiB\nmore\n", nil, false},
		{0, "task web has 7 MiB\n", nil, false},
		{0, "", nil, false},
		{0, "task 16e0b2f280d5d54606d3f8e8baf90c56 has 7 MiB\n", []string{"two"}, false},
		{1, "anything", nil, true}, // nothing is shown
		{1, "anything", []string{"three"}, false},
		{3, "An error occurred (A)\n", []string{"five"}, true},
		{3, "An error occurred (A)\n", nil, false},
	} {
		if diff := blocks[c.block].differs(c.got, c.failed); (diff == "") != c.same {
			t.Errorf("block %d printed %q, failed %q: %q", c.block, c.got, c.failed, diff)
		}
	}
}

// openTour is what `make up` leaves: a berth that runs, and bin/berth below the folder in which the reader's shell is. Home is a folder of its own.
func openTour(t *testing.T) *tourShell {
	t.Helper()
	dir := t.TempDir()
	home, berth := filepath.Join(dir, "home"), filepath.Join(dir, "bin", "berth")
	for _, made := range []string{home, filepath.Dir(berth)} {
		if err := os.MkdirAll(made, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for from, to := range map[string]string{site.Berth(t): berth, site.Ask(t): filepath.Join(dir, "bin", "ask")} {
		if err := os.Link(from, to); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { // each of the page's installations
		for _, data := range []string{".berth-four", ".berth-five", ".berth"} {
			w := &world{berth: berth, data: filepath.Join(home, data)}
			if _, err := os.Stat(w.data); err == nil {
				w.stop(t)
			}
		}
	})
	env := append(os.Environ(), "HOME="+home, "PATH="+filepath.Dir(cli.Path(t))+":"+filepath.Dir(site.Plugin(t))+":"+os.Getenv("PATH"))
	up := exec.Command(berth, "up", "--detach", "--listen", freeAddress(t))
	up.Env = env
	if out, err := up.CombinedOutput(); err != nil {
		t.Fatalf("berth up: %v\n%s", err, out)
	}
	return startTourShell(t, dir, env)
}

package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// commands are all that there are, each as it is called.
func commands(c *cobra.Command) (all [][]string) {
	all = append(all, strings.Fields(c.CommandPath())[1:])
	for _, below := range c.Commands() {
		all = append(all, commands(below)...)
	}
	return all
}

// helpOf is what a command prints with --help.
func helpOf(t *testing.T, args []string) string {
	t.Helper()
	c, out := root(), bytes.Buffer{}
	c.SetOut(&out)
	c.SetArgs(append(args, "--help"))
	if err := c.Execute(); err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return out.String()
}

func TestHelpFits(t *testing.T) {
	for _, args := range commands(root()) {
		help := helpOf(t, args)
		if !strings.Contains(help, "Usage:") {
			t.Errorf("%q: %s", args, help)
		}
		for line := range strings.Lines(help) {
			if len(strings.TrimSuffix(line, "\n")) > helpWidth {
				t.Errorf("%q: longer than %d: %s", args, helpWidth, line)
			}
		}
	}
}

// What folds loses nothing.
func TestFoldKeepsAllWords(t *testing.T) {
	help := strings.Join(strings.Fields(helpOf(t, []string{"server"})), " ")
	c, _, err := root().Find([]string{"server"})
	if err != nil {
		t.Fatal(err)
	}
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if words := strings.Join(strings.Fields(f.Usage), " "); !f.Hidden && !strings.Contains(help, words) {
			t.Errorf("--%s: %q is not in the help", f.Name, words)
		}
	})
	if words := strings.Join(strings.Fields(c.Long), " "); !strings.Contains(help, words) {
		t.Errorf("%q is not in the help", words)
	}
}

// A backquoted word in a flag's text is shown as the type of its value; a command is none.
func TestTypesOfFlagsAreWords(t *testing.T) {
	for _, args := range commands(root()) {
		c, _, err := root().Find(args)
		if err != nil {
			t.Fatal(err)
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if kind, _ := pflag.UnquoteUsage(f); strings.Contains(kind, " ") {
				t.Errorf("%q: the type of --%s is %q", args, f.Name, kind)
			}
		})
	}
}

func TestFold(t *testing.T) {
	long := strings.Repeat("word ", 40)
	for _, line := range strings.Split(fold(long, 10), "\n")[1:] {
		if !strings.HasPrefix(line, strings.Repeat(" ", 10)+"word") {
			t.Errorf("%q", line)
		}
	}
	if text := "first\nparagraph\n\n  berth up    as it is"; foldText(text) != "first paragraph\n\n  berth up    as it is" {
		t.Errorf("%q", foldText(text))
	}
}

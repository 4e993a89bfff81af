package main

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

// helpWidth is how wide help is, in columns.
const helpWidth = 100

// fitHelp makes the help of a command, and of those below it, fit helpWidth.
func fitHelp(c *cobra.Command) {
	usual := c.HelpFunc()
	c.SetHelpFunc(func(c *cobra.Command, args []string) {
		c.Long = foldText(c.Long)
		out, whole := c.OutOrStdout(), bytes.Buffer{}
		c.SetOut(&whole)
		usual(c, args)
		c.SetOut(out)
		for line := range strings.Lines(whole.String()) {
			io.WriteString(out, foldFlag(line)) //nolint:errcheck // as all that is printed
		}
	})
}

// foldText sets paragraphs anew. Lines that begin with a space stay as they are.
func foldText(text string) string {
	var out []string
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		if !strings.Contains("\n"+paragraph, "\n ") {
			paragraph = fold(paragraph, 0)
		}
		out = append(out, paragraph)
	}
	return strings.Join(out, "\n\n")
}

// flagLine is a line on a flag: its name and the type of its value, and what it is for.
var flagLine = regexp.MustCompile(`^( +(?:-\w, +)?--\S+(?: \S+)? {2,})(\S.*)\n$`)

// foldFlag folds a line on a flag; any other stays as it is.
func foldFlag(line string) string {
	m := flagLine.FindStringSubmatch(line)
	if m == nil || len(line) <= helpWidth {
		return line
	}
	return m[1] + fold(m[2], len(m[1])) + "\n"
}

// fold breaks text into lines that end before helpWidth; all but the first are indented.
func fold(text string, indent int) string {
	var b strings.Builder
	at := indent
	for n, word := range strings.Fields(text) {
		switch {
		case n == 0:
		case at+1+len(word) > helpWidth:
			fmt.Fprintf(&b, "\n%*s", indent, "")
			at = indent
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += len(word)
	}
	return b.String()
}

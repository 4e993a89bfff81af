package session

import (
	"errors"
	"strings"
)

// ErrQuote is a command with a quotation that does not end.
var ErrQuote = errors.New("a quotation in the command does not end")

// Words splits a command into its program and arguments as a shell does, without its expansions: quotes and backslashes are undone. No shell
// takes part in what ECS Exec runs.
func Words(command string) (words []string, err error) {
	var w strings.Builder
	in, quote := false, rune(0)
	escaped := false
	for _, r := range command {
		switch {
		case escaped:
			if quote == '"' && !strings.ContainsRune("\"\\$`", r) {
				w.WriteByte('\\')
			}
			w.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			in, escaped = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			w.WriteRune(r)
		case r == '\'' || r == '"':
			in, quote = true, r
		case strings.ContainsRune(" \t\r\n", r):
			if in {
				words = append(words, w.String())
				w.Reset()
				in = false
			}
		default:
			in = true
			w.WriteRune(r)
		}
	}
	if quote != 0 || escaped {
		return nil, ErrQuote
	}
	if in {
		words = append(words, w.String())
	}
	return words, nil
}

// Quote makes one word of a text for Words, and for a shell.
func Quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

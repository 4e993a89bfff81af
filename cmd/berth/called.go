package main

import (
	"os"
	"regexp"
	"strings"
)

// called is how the user called this program, to show in commands: "berth", or "bin/berth" where that is not on the PATH.
func called() string { return shellWord(os.Args[0]) }

// flag is what names the data directory in a command, "" for the usual one.
func (d dataDir) flag() string {
	if string(d) == defaultData() {
		return ""
	}
	return " --data " + shellWord(string(d))
}

var plainWord = regexp.MustCompile(`^[\w./:@%+,=-]+$`)

// shellWord quotes text where a shell would not take it as one word.
func shellWord(text string) string {
	if plainWord.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

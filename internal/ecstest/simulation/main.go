// Command simulation plays one script of package ecstest: JSON on the standard input, the trace on the standard output, broken invariants as lines
// that begin with "!".
//
// It is made for wasip1, where its host decides about time and chance; see the tests of ecstest.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"berth/internal/ecstest"
)

func main() {
	var s ecstest.Script
	if err := json.NewDecoder(os.Stdin).Decode(&s); err != nil {
		fmt.Fprintln(os.Stderr, "read the script:", err)
		os.Exit(2)
	}
	var logs io.Writer
	if len(os.Args) > 1 {
		logs = os.Stderr
	}
	r := ecstest.Run(s, logs)
	fmt.Print(r.Trace)
	for _, v := range r.Violations {
		fmt.Println("!" + v)
	}
}

package envfiles

import (
	"bytes"
	"fmt"
	"strings"
)

// lineError is a line that no process can have in its environment. It does not repeat the line.
type lineError struct{ line int }

func (e *lineError) Error() string {
	return fmt.Sprintf("line %d of the file has a character that an environment cannot have", e.line)
}

// parse reads the variables of a file as ECS's agent does: the first = of a line ends the name, the last line that names a variable has it, and whatever is in
// the value is the value: blanks and quotation marks too. Lines that begin with #, that have no =, no name or no value, are left out.
func parse(text []byte) (map[string]string, error) {
	variables := map[string]string{}
	n := 0
	for line := range bytes.Lines(text) {
		n++
		line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		name, value, ok := strings.Cut(string(line), "=")
		if !ok || name == "" || value == "" || name[0] == '#' {
			continue
		}
		if strings.IndexByte(name+value, 0) >= 0 {
			return nil, &lineError{n}
		}
		variables[name] = value
	}
	return variables, nil
}

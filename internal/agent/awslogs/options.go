// Package awslogs is the log driver awslogs, on the agent's side: it reads what the engine keeps of a container's log as it grows, makes events of lines,
// and sends them to CloudWatch Logs.
package awslogs

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"berth/internal/agent"
	"berth/internal/arn"
)

// options are what a container's log configuration says.
type options struct {
	group, stream, region string
	format                string // of the events, for who reads them: json/emf, or ""
	createGroup           bool
	blocking              bool           // the container is held up while its log is not taken
	begins                *regexp.Regexp // the first line of an event; nil: each line is one
	hold                  time.Duration  // how long an event waits for more lines
}

// formatEMF is the embedded metric format.
const formatEMF = "json/emf"

// holdDefault is how long an event of several lines waits for its next one.
const holdDefault = 5 * time.Second

// read reads a container's options. Errors are in the words of the engine's driver.
func read(s agent.LogSource, region string) (o options, err error) {
	get := func(name string) string { return s.Options["awslogs-"+name] }
	o = options{group: get("group"), region: get("region"), format: get("format"), blocking: s.Options["mode"] == "blocking", hold: holdDefault}
	if o.group == "" {
		return o, fmt.Errorf("must specify a value for log opt 'awslogs-group'")
	}
	if o.region == "" {
		o.region = region
	}
	if o.stream, err = streamOf(s); err != nil {
		return o, err
	}
	if text := get("create-group"); text != "" {
		if o.createGroup, err = strconv.ParseBool(text); err != nil {
			return o, fmt.Errorf("must specify valid value for log opt 'awslogs-create-group': %w", err)
		}
	}
	if text := get("force-flush-interval-seconds"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n <= 0 {
			return o, fmt.Errorf("must specify a positive integer for log opt 'awslogs-force-flush-interval-seconds': %v", text)
		}
		o.hold = time.Duration(n) * time.Second
	}
	if err := checkFormat(o.format, get("datetime-format")+get("multiline-pattern")); err != nil {
		return o, err
	}
	o.begins, err = begins(get("datetime-format"), get("multiline-pattern"))
	return o, err
}

// checkFormat refuses a format that there is not, and one whose events could be of several lines.
func checkFormat(format, severalLines string) error {
	switch {
	case format != "" && format != formatEMF:
		return fmt.Errorf("unsupported log format '%s'", format)
	case format != "" && severalLines != "":
		return fmt.Errorf("you cannot configure log opt 'awslogs-datetime-format' or 'awslogs-multiline-pattern' when log opt 'awslogs-format' is set to '%s'", formatEMF)
	}
	return nil
}

// streamOf is the name of a container's stream: as it is given, or PREFIX/CONTAINER/TASK, or else the engine's id of the container.
func streamOf(s agent.LogSource) (string, error) {
	if name := s.Options["awslogs-stream"]; name != "" {
		return name, nil
	}
	if prefix := s.Options["awslogs-stream-prefix"]; prefix != "" {
		return prefix + "/" + s.Container + "/" + arn.Task(s.Task).ID(), nil
	}
	tag := s.Options["tag"]
	if tag == "" {
		return s.ID, nil
	}
	name := strings.NewReplacer("{{.ID}}", s.ID[:min(12, len(s.ID))], "{{.FullID}}", s.ID, "{{.Name}}", s.Container).Replace(tag)
	if strings.Contains(name, "{{") {
		return "", fmt.Errorf("the template of log opt 'tag' can have {{.ID}}, {{.FullID}} and {{.Name}} only: %s", tag)
	}
	return name, nil
}

func begins(format, pattern string) (*regexp.Regexp, error) {
	if format != "" && pattern != "" {
		return nil, fmt.Errorf("you cannot configure log opt 'awslogs-datetime-format' and 'awslogs-multiline-pattern' at the same time")
	}
	option := "awslogs-multiline-pattern"
	if format != "" {
		option, pattern = "awslogs-datetime-format", datetime(format)
	}
	if pattern == "" {
		return nil, nil
	}
	r, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("%s could not parse multiline pattern key %q: %w", option, pattern, err)
	}
	return r, nil
}

// datetime is the regular expression of a date in strftime's language. What is no date of it is a regular expression already, as in the engine's own driver: `\[%b %d\]`.
func datetime(format string) string {
	classes := map[byte]string{
		'a': `(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)`, 'A': `(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)`, 'w': `[0-6]`,
		'd': `(?:0[1-9]|[12][0-9]|3[01])`, 'b': `(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)`,
		'B': `(?:January|February|March|April|May|June|July|August|September|October|November|December)`, 'm': `(?:0[1-9]|1[0-2])`,
		'Y': `\d{4}`, 'y': `\d{2}`, 'H': `(?:[01][0-9]|2[0-3])`, 'I': `(?:0[1-9]|1[0-2])`, 'p': `[AP]M`, 'M': `[0-5][0-9]`, 'S': `[0-5][0-9]`,
		'L': `\.\d{3}`, 'f': `\d{6}`, 'z': `[+-]\d{4}`, 'Z': `[A-Z]{3,5}`, 'j': `(?:[0-2][0-9][0-9]|3[0-5][0-9]|36[0-6])`, '%': `%`,
	}
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] == '%' && i+1 < len(format) {
			if class, known := classes[format[i+1]]; known {
				b.WriteString(class)
				i++
				continue
			}
		}
		b.WriteByte(format[i])
	}
	return b.String()
}

package ecs

import (
	"strconv"
	"strings"
)

// awslogsFault says what is wrong with the values of options of the log driver awslogs, "" where nothing is. What the driver itself refuses when a container starts
// (patterns, the group, the region) it refuses here too.
func awslogsFault(options map[string]string) string {
	wrong := func(option, should string) string {
		return "Invalid '" + option + "' option for log driver awslogs: " + should + "."
	}
	if v, is := options["awslogs-create-group"]; is && v != "true" {
		return "Log driver awslogs option 'awslogs-create-group' should only be set to 'true', else omit option."
	}
	if v, is := options["awslogs-force-flush-interval-seconds"]; is {
		if n, err := strconv.Atoi(v); err != nil || n < 1 {
			return wrong("awslogs-force-flush-interval-seconds", "it should be a positive integer")
		}
	}
	if v, is := options["awslogs-format"]; is && v != "json/emf" {
		return wrong("awslogs-format", "it should be one of [json/emf]")
	}
	if strings.Contains(strings.NewReplacer("{{.ID}}", "", "{{.FullID}}", "", "{{.Name}}", "").Replace(options["tag"]), "{{") {
		return wrong("tag", "it can have {{.ID}}, {{.FullID}} and {{.Name}} only")
	}
	if v, is := options["max-buffer-size"]; is && !isSize(v) {
		return wrong("max-buffer-size", "it should be a size like 25m")
	}
	return ""
}

// isSize says whether a text is a number of bytes, or of what a unit after it says.
func isSize(text string) bool {
	n, err := strconv.Atoi(strings.TrimRight(text, "bkmgBKMG"))
	return err == nil && n > 0 && len(text)-len(strconv.Itoa(n)) <= 1
}

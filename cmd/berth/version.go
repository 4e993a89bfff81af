package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the linker (make build); a plain go build says "dev".
var version = "dev"

func versionCommand() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use: "version", Short: "Print the version of Berth", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			v := map[string]string{"version": version, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH, "sdk": module("github.com/aws/aws-sdk-go-v2/service/ecs")}
			if format == "json" {
				return json.NewEncoder(c.OutOrStdout()).Encode(v)
			}
			fmt.Fprintf(c.OutOrStdout(), "berth %s (%s, %s, ECS API of aws-sdk-go-v2/service/ecs %s)\n", v["version"], v["go"], v["platform"], v["sdk"])
			return nil
		},
	}
	outputFlag(c, &format)
	return c
}

// module is the version of a module that this binary was built with.
func module(path string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == path {
				return m.Version
			}
		}
	}
	return "unknown"
}

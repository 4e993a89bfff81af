// Command berth is Amazon ECS on your own machines: the control plane, the agent, and everything on one machine with `berth up`.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := root().ExecuteContext(ctx)
	stop()
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "berth:", err)
		os.Exit(1)
	}
}

func root() *cobra.Command {
	c := &cobra.Command{
		Use:   "berth",
		Short: "Amazon ECS on your own machines",
		Long: `Berth runs Amazon ECS on your own machines. The AWS CLI, the SDKs and Terraform work against it as they are.

  berth up                 control plane and container instances on this machine
  eval "$(berth env)"      point the AWS CLI at it
  aws ecs list-clusters    use it
  berth explain service X  why a service is in the state it is in
  berth down               stop it; --purge forgets its data`,
		SilenceUsage: true, SilenceErrors: true,
	}
	c.AddCommand(upCommand(), downCommand(), envCommand(), explainCommand(), serverCommand(), agentCommand(), tokenCommand(), simulateCommand(),
		snapshotCommand(), eventsCommand(), auditCommand(), quotasCommand(), versionCommand(), helloCommand(), pauseCommand(), poolMemberCommand(), fargateCommand())
	fitHelp(c)
	return c
}

// dataFlag is the flag that nearly every command has.
func dataFlag(c *cobra.Command, dir *string) {
	c.Flags().StringVar(dir, "data", defaultData(), "directory of the installation's data")
}

// outputFlag is the flag of commands that print facts.
func outputFlag(c *cobra.Command, format *string) {
	c.Flags().StringVar(format, "output", "text", "text or json")
}

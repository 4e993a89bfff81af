package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"berth/internal/access"
)

func tokenCommand() *cobra.Command {
	var data, cluster, profile, format string
	c := &cobra.Command{
		Use: "token", Short: "Make a one-time token with which a machine joins a cluster", Args: cobra.NoArgs,
		Long: "Make a one-time token. On the other machine: berth agent --server http://HOST:3270 --token TOKEN. A token is good for one hour and one machine.",
		RunE: func(c *cobra.Command, _ []string) error {
			k, err := openClient(data)
			if err != nil {
				return err
			}
			var out struct {
				Token     string  `json:"token"`
				Cluster   string  `json:"cluster"`
				ExpiresAt float64 `json:"expiresAt"`
			}
			if err := k.call(c.Context(), "CreateJoinToken", map[string]string{"cluster": cluster, "instanceProfile": profile}, &out); err != nil {
				return err
			}
			return printToken(c, format, out.Token, out)
		},
	}
	dataFlag(c, &data)
	outputFlag(c, &format)
	c.Flags().StringVar(&cluster, "cluster", "default", "cluster that the machine joins")
	c.Flags().StringVar(&profile, "instance-profile", access.InstanceRole, "instance profile whose role the container instance has")
	return c
}

// printToken prints a new token alone, or all that was answered as JSON.
func printToken(c *cobra.Command, format, token string, answer any) error {
	if format == "json" {
		return json.NewEncoder(c.OutOrStdout()).Encode(answer)
	}
	fmt.Fprintln(c.OutOrStdout(), token)
	return nil
}
